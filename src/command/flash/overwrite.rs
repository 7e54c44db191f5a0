//! Whether a node that is in use may be overwritten.

use std::io::{self, IsTerminal, Write};

use tokio::select;
use tokio::task::spawn_blocking;

use super::screen::Screen;
use super::stop::Stop;
use super::target::Target;
use crate::flash::{Interrupt, ssh};

/// Asks, unless the node is silent or the question was answered beforehand.
pub(super) async fn ask(
    target: &Target<'_>,
    yes: bool,
    interrupt: &mut Interrupt,
    screen: &Screen,
) -> Result<(), Stop> {
    let (name, address) = (target.name(), target.address());
    let is_in_use = select! {
        answers = ssh::answers(address) => answers,
        () = interrupt.wait() => return Err(Stop::interrupted(name)),
    };
    if !is_in_use {
        return Ok(());
    }
    let in_use = format!("the node is in use: ssh answers at {address}");
    if yes {
        screen.line(&format!("{in_use}; it will be overwritten"));
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Stop::new(name, in_use).with_hint("say `--yes` to overwrite it"));
    }
    eprint!("{name}: {in_use}. Overwrite its eMMC? [y/N] ");
    let _ = io::stderr().flush();
    let answer = select! {
        answer = spawn_blocking(read_line) => answer,
        () = interrupt.wait() => return Err(Stop::interrupted(name)),
    };
    match answer {
        Ok(Ok(answer)) if ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) => Ok(()),
        _ => Err(Stop::new(name, "not overwritten")),
    }
}

fn read_line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().read_line(&mut line).map(|_| line)
}
