//! The daemon on each node that shows received packets in Grafana.

use super::leaf::{Integer, Switch, Text};
use super::shape::Required;
use super::table::table;

table! {
    /// The daemon on each node that shows received packets in Grafana.
    pub struct Streamer {
        /// Whether the nodes run the streamer. [default: true]
        "enable" enable: Option<Switch> = true,
        /// URL of Grafana.
        "url" url: Required<Text> = "https://grafana.example.org",
        /// Name of the secret that holds the token of a service account of Grafana.
        "token" token: Required<Text> = "grafana-token",
        /// Name of the stream in Grafana Live, to which the name of each node is added. [default: the cluster's name]
        "stream" stream: Option<Text> = "turing-pi",
        /// Network interfaces to watch. [default: the one that has the node's address]
        "interfaces" interfaces: Option<Vec<Text>> = ["end0"],
        /// Maximum number of packets shown each second, 1 to 100000. Above it, packets are sampled. [default: 500]
        #[schemars(range(min = 1, max = 100_000))]
        "budget" budget: Option<Integer> = 500,
        /// Milliseconds between two pushes to Grafana, 200 to 1000. [default: 250]
        #[schemars(range(min = 200, max = 1000))]
        "interval" interval: Option<Integer> = 250,
    }
}
