use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::outcome::Outcome;

/// Write the manual pages
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Folder to write to: one page for rk1 and one for each command
    #[arg(value_name = "DIR")]
    out: PathBuf,
}

impl Man {
    /// `command` is the whole command line.
    pub(super) fn run(self, command: clap::Command) -> anyhow::Result<Outcome> {
        let pages = command.disable_help_subcommand(true);
        std::fs::create_dir_all(&self.out)
            .and_then(|()| clap_mangen::generate_to(pages, &self.out))
            .with_context(|| format!("cannot write to `{}`", self.out.display()))?;
        Ok(Outcome::Done)
    }
}
