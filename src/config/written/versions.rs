//! `[versions]`: versions of k3s, Cilium, the Gateway API and cert-manager.

use super::leaf::Text;
use super::table::{choice, table};
use crate::config::source::Spanned;

table! {
    /// Versions of k3s, Cilium, the Gateway API and cert-manager. [default: the newest that work together]
    pub struct Versions {
        /// Minor release of k3s.
        "k3s" k3s: Option<Text> = "1.36",
        /// Release of Cilium.
        "cilium" cilium: Option<Text> = "1.20.0",
        /// Release of the Gateway API.
        "gateway-api" gateway_api: Option<Text> = "1.6.1",
        /// Bundle of the Gateway API's resource definitions.
        "gateway-api-channel" gateway_api_channel: Option<Spanned<Channel>> = "standard",
        /// Release of cert-manager.
        "cert-manager" cert_manager: Option<Text> = "1.21.1",
    }
}

choice! {
    /// A bundle of the Gateway API's resource definitions.
    pub enum Channel {
        Standard = "standard",
        Experimental = "experimental",
    }
}
