//! The daemon on each node that shows received packets in Grafana.

use super::leaf::{Integer, Switch, Text};
use super::shape::Required;
use super::table::table;

table! {
    /// The daemon on each node that shows received packets in Grafana.
    pub struct Streamer {
        /// Whether the nodes run it. Left out: yes.
        "enable" enable: Option<Switch> = true,
        /// Address of Grafana.
        "url" url: Required<Text> = "https://grafana.example.org",
        /// Name of the secret that holds Grafana's service account token.
        "token" token: Required<Text> = "grafana-token",
        /// Name of the stream in Grafana Live. Each node's name is added. Left out: the cluster's name.
        "stream" stream: Option<Text> = "turing-pi",
        /// Network interfaces to watch. Left out: the one that has the node's address.
        "interfaces" interfaces: Option<Vec<Text>> = ["end0"],
        /// Most packets shown each second; above it they are sampled. Left out: 500.
        #[schemars(range(min = 1, max = 100_000))]
        "budget" budget: Option<Integer> = 500,
        /// Milliseconds between two pushes to Grafana, 200 to 1000. Left out: 250.
        #[schemars(range(min = 200, max = 1000))]
        "interval" interval: Option<Integer> = 250,
    }
}
