mod generated;
mod listing;

use std::path::Path;

use clap::Args;

use super::cluster_file::{folder_of, read_cluster};
use super::outcome::Outcome;

/// List the secrets that the cluster needs and report those that are not ready
///
/// Secrets that no other system issues can be made here: the tokens that nodes join with, the authority of the servers, host
/// keys, and passwords of BGP sessions. Files that exist are never overwritten, except by --rotate.
#[derive(Debug, Args)]
pub(super) struct Secrets {
    /// Make the missing secrets that rk1 can make, and record the host keys for ssh
    #[arg(long, conflicts_with = "rotate")]
    generate: bool,
    /// Replace a secret that rk1 has made, and print what to do on a running cluster
    #[arg(long, value_name = "NAME")]
    rotate: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Secrets {
    pub(super) fn run(self, file: &Path) -> anyhow::Result<Outcome> {
        let cluster = read_cluster(file)?;
        let folder = folder_of(file);
        match &self.rotate {
            Some(name) => generated::rotate(&cluster, folder, name, self.json),
            None if self.generate => generated::generate(&cluster, folder, self.json),
            None => listing::list(&cluster, folder, self.json),
        }
    }
}
