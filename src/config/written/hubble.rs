//! `[hubble]`: the view of the cluster's traffic.

use super::leaf::{Switch, Text};
use super::table::table;

table! {
    /// The view of the cluster's traffic.
    pub struct Hubble {
        /// Whether its web page is served. Left out: yes.
        "enable" enable: Option<Switch> = true,
        /// Host name of the page. Left out: hubble below the cluster's domain.
        "host" host: Option<Text> = "hubble.example.org",
    }
}
