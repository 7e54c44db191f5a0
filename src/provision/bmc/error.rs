//! Why a request to a BMC failed, and what to do about it.

use std::time::Duration;

use reqwest::StatusCode;
use thiserror::Error;

use crate::common::causes::innermost;
use crate::common::certificate::Fingerprint;
use crate::common::printable::Line;

/// How to restart bmcd alone. Restarting the whole BMC would take the power from all nodes.
pub(in crate::provision) const RESTART: &str =
    "log in to the BMC over SSH and run `/etc/init.d/S94bmcd restart`, which leaves the nodes running";

#[derive(Debug, Error)]
pub enum BmcError {
    #[error("cannot set up an HTTPS client: {}", innermost(.0))]
    Client(#[source] reqwest::Error),
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    #[error("cannot connect to the BMC: {}", innermost(.0))]
    Unreachable(#[source] reqwest::Error),
    /// While bmcd receives an image it answers no other request, not even a login.
    #[error("the BMC accepts connections but has not answered for {} s", .0.as_secs())]
    NoAnswer(Duration),
    #[error("the connection to the BMC broke: {}", broken(.0))]
    Broken(#[source] reqwest::Error),
    #[error("the BMC shows the certificate {found}, but {pinned} is pinned")]
    OtherCertificate { pinned: Fingerprint, found: Fingerprint },
    #[error("the BMC refuses to log in `{user}`: {said}")]
    LoginRefused { user: String, said: Line },
    /// The BMC's own sentence is not kept: it repeats the token.
    #[error("the BMC no longer accepts this login")]
    LoginExpired,
    #[error("the BMC answers with status {}: {said}", status.as_u16())]
    Refused { status: StatusCode, said: Line },
    #[error("cannot parse the BMC's answer: {said}")]
    Unparsable { said: Line },
}

impl BmcError {
    /// Whether the same request may succeed later: it, or its answer, got lost on the way.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::NoAnswer(_) | Self::Broken(_))
    }

    /// Whether the BMC rejected the password or the token. Each rejection counts towards a ban.
    #[must_use]
    pub fn is_auth_error(&self) -> bool {
        matches!(self, Self::LoginRefused { .. } | Self::LoginExpired)
    }

    /// Classifies an error of a request that may take `limit`. The URL is dropped: the caller names the BMC.
    pub(super) fn of_request(error: reqwest::Error, limit: Duration) -> Self {
        let error = error.without_url();
        // A connection that was not made in time is both kinds of error.
        if error.is_connect() {
            Self::Unreachable(error)
        } else if error.is_timeout() {
            Self::NoAnswer(limit)
        } else if error.is_builder() {
            Self::Client(error)
        } else {
            Self::Broken(error)
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Client(_) | Self::Tls(_) => "this is a bug: report it".to_owned(),
            Self::Unreachable(_) | Self::Broken(_) => format!(
                "check that `bmc` in cluster.toml is the BMC's address; if its daemon has stopped, {RESTART}"
            ),
            Self::NoAnswer(_) => format!(
                "it is probably receiving an image from another `rk1`, `tpi` or browser, and does not answer until that \
                 ends: wait, or use `--wait-for-board DURATION`; if nobody is flashing, an upload was cut off: {RESTART}"
            ),
            Self::OtherCertificate { .. } => {
                "if the BMC was reset or got new firmware, compare the new fingerprint with the BMC's own \
                 (`openssl x509 -noout -fingerprint -sha256 -in /etc/ssl/certs/bmcd_cert.pem`) and remove its line \
                 from bmc.pins; if not, another machine is answering at this address"
                    .to_owned()
            }
            Self::LoginRefused { said, .. } if said.as_str().contains("Exceeded") => {
                "this machine is banned: wait until the ban ends, because even the right password is refused until then"
                    .to_owned()
            }
            Self::LoginRefused { .. } => {
                "correct the password or `user` before the next run: each run is one attempt, and five failed attempts \
                 end in a ban"
                    .to_owned()
            }
            Self::LoginExpired => {
                "bmcd has restarted, or the login is older than three hours: run the command again".to_owned()
            }
            Self::Refused { .. } | Self::Unparsable { .. } => {
                "see \"When it fails\" in docs/flash.md; firmware older than 2.0 is not supported".to_owned()
            }
        }
    }
}

/// Returns what broke a connection. rustls adds a link to its manual.
fn broken(error: &reqwest::Error) -> String {
    match innermost(error) {
        words if words.contains("close_notify") => "the BMC closed it".to_owned(),
        words => words,
    }
}
