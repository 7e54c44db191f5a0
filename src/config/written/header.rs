//! `[cluster]`: the name of the cluster.

use super::leaf::Text;
use super::shape::Required;
use super::table::table;

table! {
    /// What the cluster is called.
    pub struct Header {
        /// Name of the cluster: a DNS label of at most 32 characters.
        "name" name: Required<Text> = "turing-pi",
        /// DNS domain under which the cluster's host names lie.
        "domain" domain: Required<Text> = "example.org",
    }
}
