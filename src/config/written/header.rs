//! `[cluster]`: the name and domain of the cluster.

use super::leaf::Text;
use super::shape::Required;
use super::table::table;

table! {
    /// The name and domain of the cluster.
    pub struct Header {
        /// Name of the cluster: a DNS label of at most 32 characters.
        "name" name: Required<Text> = "turing-pi",
        /// DNS domain of the cluster's host names.
        "domain" domain: Required<Text> = "example.org",
    }
}
