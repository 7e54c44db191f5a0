//! `[hubble]`: the web page of Hubble.

use super::leaf::{Switch, Text};
use super::table::table;

table! {
    /// The web page of Hubble, which shows the cluster's traffic.
    pub struct Hubble {
        /// Whether the page is served. It has no login: everyone who reaches the gateway can read it. [default: false]
        "enable" enable: Option<Switch> = true,
        /// Host name of the page. [default: `hubble` below the cluster's domain]
        "host" host: Option<Text> = "hubble.example.org",
    }
}
