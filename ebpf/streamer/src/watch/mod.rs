//! `xdp-streamer watch`: the packets of an interface in the terminal.

mod app;
mod names;
mod screen;
mod view;

use crate::capture::{Capture, Interfaces, RingSize};
use crate::command::WatchArguments;
use crate::row::Origin;
use anyhow::{Context as _, Result, bail};
use app::App;
use names::{Names, Source};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use std::io::IsTerminal as _;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use view::{Action, View};

/// How often the program looks for keys and packets.
const TICK: Duration = Duration::from_millis(100);

/// Shows the interface until a key or a signal ends it. The terminal is restored in every case.
pub fn run(arguments: &WatchArguments) -> Result<()> {
    let (interface, options) = (arguments.interface.as_str(), arguments.hook.resolve()?);
    let hint = format!("hint: use `xdp-streamer run --interface {interface} --sink stdout`");
    if !std::io::stdout().is_terminal() {
        bail!("standard output is not a terminal\n{hint}");
    }
    let interfaces = Interfaces::open()?;
    let index = interfaces.find(interface)?;
    let hosts = std::fs::read("/etc/hosts").unwrap_or_default();
    let source = if arguments.dns { Source::Dns } else { Source::Hosts };
    let names = Names::new(&String::from_utf8_lossy(&hosts), source);
    // https://no-color.org: any value but the empty one.
    let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let view = View::new(Origin::new(String::new(), interface), names, colours);
    let capture = Capture::load(interface, index, options, RingSize::default())?;
    let app = App::start(view, index, interfaces, capture)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Also restores the terminal when the program panics.
    let mut terminal = ratatui::try_init().with_context(|| format!("the terminal cannot be used\n{hint}"))?;
    let outcome = runtime.block_on(show(app, &mut terminal));
    ratatui::restore();
    // A lookup in DNS may take seconds.
    runtime.shutdown_background();
    outcome
}

async fn show(mut app: App, terminal: &mut DefaultTerminal) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        if app.update()? {
            terminal.draw(|frame| screen::draw(&app.view, frame))?;
        }
        while event::poll(Duration::ZERO)? {
            match event::read()? {
                Event::Key(key) if key.kind == KeyEventKind::Press => {
                    if app.view.key(key) == Action::Quit {
                        return Ok(());
                    }
                    app.redraw();
                }
                Event::Resize(..) => app.redraw(),
                _ => {}
            }
        }
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = hangup.recv() => return Ok(()),
            () = tokio::time::sleep(TICK) => {}
        }
    }
}
