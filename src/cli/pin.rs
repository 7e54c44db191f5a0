use std::path::Path;

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use super::cluster_file::{folder_of, read_cluster};
use super::outcome::Outcome;
use super::output::{note, print};
use super::runtime::runtime;
use crate::common::atomic_file;
use crate::render::pins::lookup::{Newer, NewerRelease, Repositories};
use crate::render::pins::{FILE_NAME, Pins};

/// Look up the hashes of the cluster's charts and definitions and write them to pins.json
#[derive(Debug, Args)]
pub(super) struct Pin {
    /// Write nothing, list newer releases, and exit with 1 if there is one or if a hash is missing
    #[arg(long)]
    check: bool,
    /// Print the result as JSON on standard output
    #[arg(long)]
    json: bool,
}

impl Pin {
    pub(super) fn run(self, file: &Path) -> anyhow::Result<Outcome> {
        let cluster = read_cluster(file)?;
        let folder = folder_of(file);
        let pins = Pins::read(folder)?;
        let repositories = Repositories::new()?;
        let runtime = runtime()?;
        if self.check {
            let newer = runtime.block_on(repositories.newer(&pins, &cluster.versions))?;
            if self.json {
                print(&format!("{:#}\n", newer.iter().map(as_json).collect::<Value>()))?;
            } else {
                print(&newer.iter().map(line).collect::<String>())?;
            }
            let is_current = newer.iter().all(|each| each.is_pinned && each.newest.is_none());
            return Ok(if is_current { Outcome::Done } else { Outcome::Failed });
        }
        let pinned = runtime.block_on(repositories.pin(&pins, &cluster.versions))?;
        let path = folder.join(FILE_NAME);
        let name = path.display();
        let is_changed = pinned != pins;
        if is_changed {
            atomic_file::replace(&path, &pinned.to_json())
                .with_context(|| format!("cannot write `{name}`"))?;
        }
        if self.json {
            print(&format!("{:#}\n", json!({"file": path, "changed": is_changed})))?;
        }
        note(if is_changed {
            format!("wrote {name}: run `rk1 render`")
        } else {
            format!("{name} has every hash, and all are right")
        });
        Ok(Outcome::Done)
    }
}

/// Returns the line for one chart, or for the Gateway API.
fn line(each: &Newer) -> String {
    let pinned = if each.is_pinned { "pinned" } else { "not pinned" };
    let mut newer: Vec<_> = [each.patch, each.newest].into_iter().flatten().map(described).collect();
    newer.dedup();
    let newer =
        if newer.is_empty() { "the newest".to_owned() } else { format!("newer: {}", newer.join(", ")) };
    format!("{} {}: {pinned}, {newer}\n", each.name, each.used)
}

fn described(newer: NewerRelease) -> String {
    let NewerRelease { release, is_allowed } = newer;
    if is_allowed { release.to_string() } else { format!("{release} (not supported by cluster.toml yet)") }
}

fn as_json(each: &Newer) -> Value {
    json!({
        "name": each.name,
        "version": each.used.to_string(),
        "pinned": each.is_pinned,
        "newest-patch": each.patch.map(|newer| newer.release.to_string()),
        "newest": each.newest.map(|newer| newer.release.to_string()),
        "newest-is-supported": each.newest.map(|newer| newer.is_allowed),
    })
}
