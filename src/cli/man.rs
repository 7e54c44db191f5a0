use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, CommandFactory};

use super::{Arguments, Outcome};

/// Write the manual pages.
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Folder for the pages: one for the tool, one for each command.
    #[arg(value_name = "DIR")]
    out: PathBuf,
}

impl Man {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        std::fs::create_dir_all(&self.out)
            .and_then(|()| clap_mangen::generate_to(Arguments::command(), &self.out))
            .with_context(|| format!("cannot write to `{}`", self.out.display()))?;
        Ok(Outcome::Done)
    }
}
