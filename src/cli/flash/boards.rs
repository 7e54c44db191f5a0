//! The boards' controllers: the certificates by which they are known, and one login each.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, IsTerminal};
use std::path::Path;

use tokio::select;
use tokio::task::spawn_blocking;

use super::screen::Screen;
use super::stop::Stop;
use super::target::Target;
use crate::causes::innermost;
use crate::certificate::Fingerprint;
use crate::config::cluster::{Cluster, Label};
use crate::printable::Line;
use crate::provision::bmc::pins::{BmcPins, BmcPinsError, FILE_NAME};
use crate::provision::bmc::{Bmc, BmcError, Credentials, Password, first_sight};
use crate::provision::flash::{Interrupt, hint};
use crate::provision::seed;

const PASSWORD_VARIABLE: &str = "RK1_BMC_PASSWORD";

#[derive(Debug)]
pub(super) struct Boards<'a> {
    cluster: &'a Cluster,
    folder: &'a Path,
    pins: BmcPins,
    /// Those that are logged in to, by the board's name.
    sessions: BTreeMap<Label, Bmc>,
}

impl<'a> Boards<'a> {
    pub(super) fn read(cluster: &'a Cluster, folder: &'a Path) -> Result<Self, BmcPinsError> {
        Ok(Self { cluster, folder, pins: BmcPins::read(folder)?, sessions: BTreeMap::new() })
    }

    pub(super) fn pinned(&self, target: &Target<'_>) -> Option<Fingerprint> {
        self.pins.of(target.bmc())
    }

    /// The controller of a node's board, logged in to once.
    pub(super) async fn log_in(
        &mut self,
        target: &Target<'_>,
        interrupt: &mut Interrupt,
        screen: &Screen,
    ) -> Result<&Bmc, Stop> {
        let board = &target.board.name;
        if !self.sessions.contains_key(board) {
            let bmc = select! {
                bmc = self.connect(target, screen) => bmc?,
                () = interrupt.wait() => return Err(Stop::interrupted(target.name())),
            };
            self.sessions.insert(board.clone(), bmc);
        }
        self.sessions.get(board).ok_or_else(|| Stop::new(target.name(), format!("`{board}` is gone")))
    }

    async fn connect(&mut self, target: &Target<'_>, screen: &Screen) -> Result<Bmc, Stop> {
        let (name, address) = (target.name(), target.bmc());
        let stop = |error: BmcError| bmc_stop(target, &error);
        let pinned = if let Some(pinned) = self.pins.of(address) {
            pinned
        } else {
            let seen = first_sight(address).await.map_err(stop)?;
            self.pins.pin(self.folder, address, seen).map_err(|error| Stop::new(name, error))?;
            let file = self.folder.join(FILE_NAME);
            screen.line(&format!("first sight of the BMC at {address}: its certificate is {seen}"));
            screen.line(&format!("from now on no other is believed ({})", file.display()));
            seen
        };
        let mut bmc = Bmc::new(address, pinned).map_err(stop)?;
        let credentials = self.credentials(target).await?;
        bmc.log_in(&credentials).await.map_err(stop)?;
        let about = bmc.about().await.map_err(stop)?;
        let version = Line::new(about.bmcd_version.as_deref().unwrap_or("of an unknown version"));
        screen.line(&format!("logged in at the BMC, {address}: bmcd {version}"));
        Ok(bmc)
    }

    async fn credentials(&self, target: &Target<'_>) -> Result<Credentials, Stop> {
        let (name, user) = (target.name(), target.board.user.clone());
        let password = match &target.board.password {
            Some(secret) => {
                let path = self.cluster.secrets.0.get(secret).map(|path| self.folder.join(path));
                let bytes = seed::secret(secret, &path.unwrap_or_default())
                    .map_err(|mistake| Stop::mistake(name, &mistake))?;
                let text = std::str::from_utf8(&bytes)
                    .map_err(|_| Stop::new(name, format!("the secret `{}` is not text", secret.as_str())))?;
                Password::new(text.to_owned())
            }
            None => match env::var(PASSWORD_VARIABLE) {
                Ok(password) => Password::new(password),
                Err(_) => ask(target, &user).await?,
            },
        };
        if password.is_empty() {
            return Err(Stop::new(name, "the password for the BMC is empty"));
        }
        Ok(Credentials { user, password })
    }
}

/// Asks on the terminal, without showing what is typed.
async fn ask(target: &Target<'_>, user: &str) -> Result<Password, Stop> {
    let name = target.name();
    if !io::stdin().is_terminal() {
        let hint = format!(
            "write `password = \"bmc-password\"` for the board and the file of that secret in `[secrets]`, \
             or set ${PASSWORD_VARIABLE}"
        );
        return Err(Stop::new(name, "no password for the BMC, and no terminal to ask for it").with_hint(hint));
    }
    let prompt = format!("{name}: password of `{user}` on the BMC at {}: ", target.bmc());
    let echo = Echo::save();
    let answer = spawn_blocking(move || rpassword::prompt_password(prompt)).await;
    drop(echo);
    match answer.map_err(|error| Stop::new(name, error))? {
        Ok(password) => Ok(Password::new(password)),
        // Ctrl-C is a key to the one who asks.
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(Stop::interrupted(name)),
        Err(error) => Err(Stop::new(name, error)),
    }
}

/// Gives the terminal back as it was, also when the question is interrupted.
struct Echo(Option<rustix::termios::Termios>);

impl Echo {
    fn save() -> Self {
        Self(rustix::termios::tcgetattr(io::stdin()).ok())
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        if let Some(terminal) = &self.0 {
            let now = rustix::termios::OptionalActions::Now;
            let _ = rustix::termios::tcsetattr(io::stdin(), now, terminal);
        }
    }
}

fn bmc_stop(target: &Target<'_>, error: &BmcError) -> Stop {
    let cause = match error {
        BmcError::Unreachable(source) | BmcError::Broken(source) => format!(": {}", innermost(source)),
        _ => String::new(),
    };
    let board = &target.board.name;
    let what = format!("board `{board}`, BMC {}: {error}{cause}", target.bmc());
    Stop::new(target.name(), what).with_hint(hint(error))
}
