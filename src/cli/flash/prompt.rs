//! Questions on the terminal.

use std::io::{self, IsTerminal};

use tokio::task::spawn_blocking;

use crate::cli::question::yes_or_no;
use crate::config::cluster::Label;
use crate::provision::bmc::Password;
use crate::provision::flash::{InUse, PasswordPrompt};

/// Asks for a password without showing it. Returns `None` if standard input is not a terminal.
pub(super) async fn password(prompt: PasswordPrompt<'_>) -> io::Result<Option<Password>> {
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    let PasswordPrompt { node, user, address } = prompt;
    let text = format!("{node}: password of `{user}` on the BMC at {address}: ");
    let terminal = SavedTerminal::save();
    let answer = spawn_blocking(move || rpassword::prompt_password(text)).await;
    drop(terminal);
    answer.map_err(io::Error::other)?.map(|password| Some(Password::new(password)))
}

/// Asks whether to overwrite a node. Returns `None` if standard input is not a terminal.
pub(super) async fn overwrite(node: &Label, in_use: &InUse, disk: &str) -> Option<bool> {
    let question = format!("{node}: the node is in use: {in_use}. Overwrite its {disk}?");
    spawn_blocking(move || yes_or_no(&question)).await.ok()?
}

/// The settings of the terminal. They are restored on drop, also when the question is interrupted.
struct SavedTerminal(Option<rustix::termios::Termios>);

impl SavedTerminal {
    fn save() -> Self {
        Self(rustix::termios::tcgetattr(io::stdin()).ok())
    }
}

impl Drop for SavedTerminal {
    fn drop(&mut self) {
        if let Some(settings) = &self.0 {
            let now = rustix::termios::OptionalActions::Now;
            let _ = rustix::termios::tcsetattr(io::stdin(), now, settings);
        }
    }
}
