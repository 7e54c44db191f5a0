use std::path::{Path, PathBuf};

use clap::Args;

use super::{Outcome, folder_of, print, read_documents};
use crate::render::disk;

/// Write everything that the cluster is made of.
#[derive(Debug, Args)]
pub(super) struct Render {
    /// Where to write it. Left out: the folder of the cluster's file.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write nothing: print what would change as a unified diff, and exit with 1 if that is anything.
    #[arg(long)]
    check: bool,
}

impl Render {
    pub(super) fn run(self, file: &Path) -> anyhow::Result<Outcome> {
        let documents = read_documents(file)?;
        let out = self.out.unwrap_or_else(|| folder_of(file).to_owned());
        let changes = disk::changes(&out, &documents)?;
        if self.check {
            for change in &changes {
                print(&change.diff())?;
            }
        } else {
            disk::apply(&out, &changes)?;
            for change in &changes {
                anstream::eprintln!("{} {}", change.verb(), out.join(&change.path).display());
            }
        }
        match (changes.len(), self.check) {
            (0, _) => anstream::eprintln!("{} files, all up to date", documents.len()),
            (1, true) => anstream::eprintln!("1 file differs: run `rk1 render`"),
            (count, true) => anstream::eprintln!("{count} files differ: run `rk1 render`"),
            (1, false) => anstream::eprintln!("1 file changed"),
            (count, false) => anstream::eprintln!("{count} files changed"),
        }
        Ok(if self.check && !changes.is_empty() { Outcome::Mistakes } else { Outcome::Done })
    }
}
