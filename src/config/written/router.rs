//! `[[bgp.router]]`: the routers, with which each node has a BGP session.

use thiserror::Error;

use super::leaf::{Integer, Text};
use super::router_status::RouterStatus;
use super::shape::{Decode, Required, TomlValue};
use super::table::table;
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::platforms::{PLATFORMS, Platform};
use crate::config::source::Spanned;

table! {
    /// A router, with which each node has a BGP session.
    pub struct Router {
        /// Name of the router: a DNS label.
        "name" name: Required<Text> = "mikrotik",
        /// Address of the router.
        "address" address: Required<Text> = "172.16.10.1",
        /// IPv6 address of the router, in a dual-stack cluster: the nodes have a second session with it.
        "address-ipv6" address_ipv6: Option<Text> = "fd00:172:16:10::1",
        /// Autonomous system number of the router. [default: that of the nodes]
        #[schemars(range(min = 1, max = 4_294_967_295_i64))]
        "asn" asn: Option<Integer> = 64512,
        /// Time to live of the packets of a BGP session with a router outside the nodes' network, 2 to 255: one more than
        /// the number of routers in between. [default: the router is in the nodes' network]
        #[schemars(range(min = 2, max = 255))]
        "multihop" multihop: Option<Integer> = 2,
        /// Software of the router.
        "platform" platform: Required<Spanned<&'static Platform>> = "routeros",
        /// Version of the software.
        "version" version: Required<Text> = "7.18",
        /// Name of the secret that holds the password of the sessions (TCP MD5, RFC 2385). [default: no password]
        "password" password: Option<Text> = "bgp-password",
        /// Prefix of the sessions' names on the router: a session is named after its node. [default: no prefix]
        "session-prefix" session_prefix: Option<Text> = "srv-",
        /// How `rk1 status` queries the router.
        "status" status: Option<RouterStatus>,
    }
}

impl Decode for Spanned<&'static Platform> {
    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self> {
        let text = Text::decode(path, value, problems)?;
        let found = Platform::of_word(&text.value).map(|platform| Spanned::new(platform, text.span));
        if found.is_none() {
            let mistake = match Platform::of_alias(&text.value) {
                Some(platform) => PlatformMistake::Alias { word: text.value, platform },
                None => PlatformMistake::Unknown { word: text.value },
            };
            problems.error(text.span, mistake);
        }
        found
    }
}

#[derive(Debug, Error)]
enum PlatformMistake {
    #[error("`{word}` is not a value of `platform`")]
    Alias { word: String, platform: &'static Platform },
    #[error("`{word}` is not a value of `platform`")]
    Unknown { word: String },
}

impl Mistake for PlatformMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::Alias { platform, .. } => format!("write `{}`", platform.word),
            Self::Unknown { .. } => {
                let words: Vec<_> = PLATFORMS.iter().map(|platform| format!("`{}`", platform.word)).collect();
                format!(
                    "write one of {}: the one whose configuration language the router uses",
                    words.join(", ")
                )
            }
        };
        Some(instead)
    }
}
