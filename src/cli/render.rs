use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::cluster_file::{Warnings, check_own_files, folder_of, print_own_files, read_rendered};
use super::outcome::Outcome;
use super::output::{note, print};
use crate::render::disk;

/// Generate hosts/, manifests/ and routers/ from cluster.toml
#[derive(Debug, Args)]
pub(super) struct Render {
    /// Folder to write to [default: the folder of cluster.toml]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write nothing, print a unified diff, and exit with 1 if a file differs
    #[arg(long)]
    check: bool,
    /// Print the changes as JSON on standard output
    #[arg(long)]
    json: bool,
}

impl Render {
    pub(super) fn run(self, file: &Path) -> anyhow::Result<Outcome> {
        let rendered = read_rendered(file, Warnings::InFull)?;
        let out = self.out.unwrap_or_else(|| folder_of(file).to_owned());
        let own = check_own_files(&rendered, &out)?;
        print_own_files(&own);
        if own.iter().any(|file| file.problems.has_errors()) {
            return Ok(Outcome::Failed);
        }
        let (_, documents) = rendered;
        let changes = disk::changes(&out, &documents)?;
        if !self.check {
            disk::apply(&out, &changes)?;
        }
        if self.json {
            let list: Vec<_> = changes
                .iter()
                .map(|change| json!({"path": out.join(&change.path), "change": change.verb()}))
                .collect();
            print(&format!("{:#}\n", json!({"files": documents.len(), "changes": list})))?;
        } else if self.check {
            for change in &changes {
                print(&change.diff())?;
            }
        } else {
            for change in &changes {
                note(format!("{} {}", change.verb(), out.join(&change.path).display()));
            }
        }
        note(match (changes.len(), self.check) {
            (0, _) => format!("{} files, all up to date", documents.len()),
            (1, true) => "1 file differs: run `rk1 render`".to_owned(),
            (count, true) => format!("{count} files differ: run `rk1 render`"),
            (1, false) => "1 file changed".to_owned(),
            (count, false) => format!("{count} files changed"),
        });
        Ok(if self.check && !changes.is_empty() { Outcome::Failed } else { Outcome::Done })
    }
}
