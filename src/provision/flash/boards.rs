//! The BMCs of the boards: their pinned certificates, and one login for each.

use std::collections::BTreeMap;
use std::env;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::select;

use super::console::{Console, Notice, PasswordPrompt};
use super::error::{FlashError, PASSWORD_VARIABLE};
use super::interrupt::Interrupt;
use super::target::Target;
use crate::common::certificate::Fingerprint;
use crate::common::printable::Line;
use crate::config::cluster::{Cluster, Label};
use crate::provision::bmc::pins::{BmcPins, FILE_NAME};
use crate::provision::bmc::{Bmc, BmcError, Credentials, Password, first_sight};
use crate::provision::seed;

#[derive(Debug)]
pub(super) struct Boards<'a> {
    cluster: &'a Cluster,
    folder: &'a Path,
    pins: BmcPins,
    /// The BMCs that are logged in to, by the name of the board.
    sessions: BTreeMap<Label, Bmc>,
}

impl<'a> Boards<'a> {
    pub(super) fn read(cluster: &'a Cluster, folder: &'a Path) -> Result<Self, FlashError> {
        let pins = BmcPins::read(folder).map_err(FlashError::Pins)?;
        Ok(Self { cluster, folder, pins, sessions: BTreeMap::new() })
    }

    /// Returns the pinned certificate of a node's BMC.
    pub(super) fn pinned(&self, target: &Target<'_>) -> Option<Fingerprint> {
        self.pins.of(target.bmc())
    }

    /// Returns the BMC of a node's board. It is logged in to once; while it does not answer, this waits up to `limit`.
    pub(super) async fn log_in(
        &mut self,
        target: &Target<'_>,
        limit: Duration,
        interrupt: &mut Interrupt,
        console: &mut impl Console,
    ) -> Result<&mut Bmc, FlashError> {
        let board = target.board.name.clone();
        if !self.sessions.contains_key(&board) {
            let bmc = select! {
                bmc = self.connect(target, limit, console) => bmc?,
                () = interrupt.wait() => return Err(FlashError::interrupted()),
            };
            self.sessions.insert(board.clone(), bmc);
        }
        let expired =
            FlashError::Board { board: board.clone(), address: target.bmc(), source: BmcError::LoginExpired };
        self.sessions.get_mut(&board).ok_or(expired)
    }

    async fn connect(
        &mut self,
        target: &Target<'_>,
        limit: Duration,
        console: &mut impl Console,
    ) -> Result<Bmc, FlashError> {
        let (name, address) = (target.name(), target.bmc());
        let error = |source| FlashError::Board { board: target.board.name.clone(), address, source };
        let fingerprint = if let Some(pinned) = self.pins.of(address) {
            pinned
        } else {
            let seen = first_sight(address).await.map_err(error)?;
            self.pins.pin(self.folder, address, seen).map_err(FlashError::Pins)?;
            let file = self.folder.join(FILE_NAME);
            console.show(name, Notice::CertificatePinned { address, fingerprint: seen, file: &file });
            seen
        };
        let mut bmc = Bmc::new(address, fingerprint).map_err(error)?;
        let credentials = self.credentials(target, console).await?;
        log_in(&mut bmc, credentials, name, address, limit, console).await.map_err(error)?;
        let about = bmc.about().await.map_err(error)?;
        let version = about.bmcd_version.map(|version| Line::new(&version));
        console.show(name, Notice::LoggedIn { address, version: version.as_ref() });
        Ok(bmc)
    }

    /// Reads the password from the board's secret, else from the environment, else from the user.
    async fn credentials(
        &self,
        target: &Target<'_>,
        console: &mut impl Console,
    ) -> Result<Credentials, FlashError> {
        let user = target.board.user.clone();
        let password = if let Some(secret) = &target.board.password {
            let bytes = seed::secret(&self.cluster.secrets, secret, self.folder)
                .map_err(FlashError::PasswordSecret)?;
            let text = std::str::from_utf8(&bytes)
                .map_err(|_| FlashError::PasswordNotText(secret.as_str().to_owned()))?;
            Password::new(text.to_owned())
        } else if let Ok(password) = env::var(PASSWORD_VARIABLE) {
            Password::new(password)
        } else {
            let prompt = PasswordPrompt { node: target.name(), user: &user, address: target.bmc() };
            match console.ask_password(prompt).await {
                Ok(Some(password)) => password,
                Ok(None) => return Err(FlashError::PasswordMissing),
                // On the terminal Ctrl-C is a key, not a signal.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    return Err(FlashError::interrupted());
                }
                Err(error) => return Err(FlashError::PasswordPrompt(error)),
            }
        };
        if password.is_empty() {
            return Err(FlashError::PasswordEmpty);
        }
        Ok(Credentials { user, password })
    }
}

/// Logs in. A BMC that is receiving an image answers no login, so a login without an answer is repeated up to `limit`.
async fn log_in(
    bmc: &mut Bmc,
    credentials: Credentials,
    node: &Label,
    address: IpAddr,
    limit: Duration,
    console: &mut impl Console,
) -> Result<(), BmcError> {
    let began = Instant::now();
    let mut is_told = false;
    loop {
        match bmc.log_in(credentials.clone()).await {
            Err(BmcError::NoAnswer(_)) if began.elapsed() < limit => {
                if !is_told {
                    console.show(node, Notice::WaitingForLogin { address, limit });
                }
                is_told = true;
            }
            result => return result,
        }
    }
}
