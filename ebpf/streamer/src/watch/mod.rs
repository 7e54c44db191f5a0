//! `xdp-streamer watch`: an interface's packets in the terminal.

mod app;
mod screen;

use crate::capture::{Capture, Interfaces, RingSize};
use crate::command::WatchArguments;
use anyhow::{Context as _, Result, bail};
use app::App;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use std::io::IsTerminal as _;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

const NO_TERMINAL: &str =
    "`watch` needs a terminal, but the process has none\nhint: use `xdp-streamer run --sink stdout`";

/// How often keys and packets are looked for.
const TICK: Duration = Duration::from_millis(100);

/// Shows the interface until a key or a signal ends it. The terminal is restored whatever happens.
pub fn run(arguments: &WatchArguments) -> Result<()> {
    let (interface, hook) = (arguments.interface.as_str(), arguments.hook.resolve()?);
    if !std::io::stdout().is_terminal() {
        bail!("`watch` needs a terminal\nhint: use `xdp-streamer run --interface {interface} --sink stdout`");
    }
    let index = Interfaces::open()?.find(interface)?;
    let app = App::start(interface, index, Capture::load(hook, true, RingSize::default())?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Also restores the terminal when the program panics.
    let mut terminal = ratatui::try_init().context(NO_TERMINAL)?;
    let outcome = runtime.block_on(show(app, &mut terminal));
    ratatui::restore();
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
                Event::Key(key) if key.kind == KeyEventKind::Press => match key.code {
                    KeyCode::Char('q') | KeyCode::Esc => return Ok(()),
                    KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Ok(()),
                    KeyCode::Char('p' | ' ') => app.view.paused = !app.view.paused,
                    _ => {}
                },
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
