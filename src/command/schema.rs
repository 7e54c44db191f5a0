use clap::Args;

use super::{Outcome, print};
use crate::cluster_file::schema::schema;

/// Print the JSON Schema of the cluster's file, by which editors complete it.
#[derive(Debug, Args)]
pub(super) struct Schema {}

impl Schema {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        print(&format!("{:#}\n", schema()))?;
        Ok(Outcome::Done)
    }
}
