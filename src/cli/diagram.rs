use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::{Outcome, print, read_cluster};
use crate::render::diagram::svg;

/// Draw the cluster: its boards, nodes, addresses and sessions, as SVG.
#[derive(Debug, Args)]
pub(super) struct Diagram {
    /// Where to write it. Left out: standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Diagram {
    pub(super) fn run(self, file: &Path) -> anyhow::Result<Outcome> {
        let cluster = read_cluster(file)?;
        let picture = svg(&cluster)?;
        match self.out {
            None => print(&picture)?,
            Some(out) => {
                std::fs::write(&out, picture).with_context(|| format!("cannot write `{}`", out.display()))?;
            }
        }
        Ok(Outcome::Done)
    }
}
