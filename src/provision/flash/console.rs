//! What a flash shows to its user and asks of them.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use super::error::InUse;
use super::steps::Phase;
use crate::common::certificate::Fingerprint;
use crate::common::printable::Line;
use crate::config::cluster::Label;
use crate::config::modules::Hardware;
use crate::provision::bmc::Password;

/// The user of a flash.
pub trait Console {
    /// Shows what happens to a node.
    fn show(&mut self, node: &Label, notice: Notice<'_>);

    /// Asks for the password of a BMC. `None` means that there is nobody to ask.
    fn ask_password(
        &mut self,
        prompt: PasswordPrompt<'_>,
    ) -> impl Future<Output = io::Result<Option<Password>>>;

    /// Asks whether a node that is in use may be overwritten. `None` means that there is nobody to ask.
    fn confirm_overwrite(
        &mut self,
        node: &Label,
        in_use: &InUse,
        hardware: &'static Hardware,
    ) -> impl Future<Output = Option<bool>>;

    /// Asks Kubernetes whether a node is ready. Returns the address of the API server that says so.
    fn find_ready(&self, node: &Label) -> impl Future<Output = Option<String>>;
}

/// The BMC for which a password is needed.
#[derive(Debug, Clone, Copy)]
pub struct PasswordPrompt<'a> {
    pub node: &'a Label,
    pub user: &'a str,
    pub address: IpAddr,
}

/// Something that happens during a flash.
#[derive(Debug, Clone, Copy)]
pub enum Notice<'a> {
    /// The image is read from its beginning.
    ReadingBegins(ReadPurpose),
    /// The number of bytes that were read so far.
    Read(u64),
    ReadingEnds,
    /// The image boots on the node's module, and is that of this host.
    ImageAccepted {
        image: &'a Path,
        hardware: &'static Hardware,
    },
    /// The node joins any server that answers, because its token does not name the authority of the cluster's servers.
    JoinsBlindly,
    /// The host key of the node was written to this file.
    HostKeyRecorded {
        file: &'a Path,
    },
    /// The length and SHA-256 digest of the image with its seed.
    Measured {
        length: u64,
        sha256: &'a str,
    },
    /// The certificate that a BMC shows for the first time was written to a file.
    CertificatePinned {
        address: IpAddr,
        fingerprint: Fingerprint,
        file: &'a Path,
    },
    /// The BMC does not answer, and the flash waits for it.
    WaitingForLogin {
        address: IpAddr,
        limit: Duration,
    },
    LoggedIn {
        address: IpAddr,
        version: Option<&'a Line>,
    },
    /// The node is in use, and is overwritten as the user requested.
    Overwriting(&'a InUse),
    /// A flash of so many bytes begins.
    FlashBegins {
        length: u64,
    },
    Flashing(Phase),
    FlashEnds,
    /// The node has power, and the flash waits for its SSH server.
    Booting {
        address: IpAddr,
    },
    /// The SSH server greeted after this time.
    Booted(Duration),
}

/// Why an image is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadPurpose {
    Inspecting,
    Hashing,
    Writing,
}
