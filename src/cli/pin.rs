use std::path::Path;

use anyhow::Context;
use clap::Args;

use super::{Outcome, folder_of, print, read_cluster};
use crate::atomic_file;
use crate::render::pins::lookup::{Lookup, Newer};
use crate::render::pins::{FILE_NAME, Pins};

/// Look up the charts and definitions of the cluster's versions, and write their hashes into pins.json.
#[derive(Debug, Args)]
pub(super) struct Pin {
    /// Write nothing: say which charts have newer releases, and exit with 1 if any has, or has no hash.
    #[arg(long)]
    check: bool,
}

impl Pin {
    pub(super) fn run(self, file: &Path) -> anyhow::Result<Outcome> {
        let cluster = read_cluster(file)?;
        let folder = folder_of(file);
        let pins = Pins::read(folder)?;
        let lookup = Lookup::new()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot wait for the network")?;
        if self.check {
            let newer = runtime.block_on(lookup.newer(&pins, &cluster.versions))?;
            print(&newer.iter().map(line).collect::<String>())?;
            let is_current = newer.iter().all(|each| each.is_pinned && each.newest.is_none());
            return Ok(if is_current { Outcome::Done } else { Outcome::Mistakes });
        }
        let pinned = runtime.block_on(lookup.pin(&pins, &cluster.versions))?;
        if pinned == pins {
            anstream::eprintln!("every hash is there, and right");
            return Ok(Outcome::Done);
        }
        let path = folder.join(FILE_NAME);
        let name = path.display();
        atomic_file::replace(&path, &pinned.to_json()).with_context(|| format!("cannot write `{name}`"))?;
        anstream::eprintln!("{name} is written: run `rk1 render`");
        Ok(Outcome::Done)
    }
}

/// One chart in one line.
fn line(each: &Newer) -> String {
    let pinned = if each.is_pinned { "pinned" } else { "not pinned" };
    let newer = match (each.patch, each.newest) {
        (None, None) => "the newest".to_owned(),
        (Some(patch), Some(newest)) if patch != newest => format!("newer: {patch}, {newest}"),
        (patch, newest) => {
            format!("newer: {}", patch.or(newest).map(|release| release.to_string()).unwrap_or_default())
        }
    };
    format!("{} {}: {pinned}, {newer}\n", each.chart, each.used)
}
