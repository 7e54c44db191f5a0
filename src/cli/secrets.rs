use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::{Outcome, folder_of, print, read_cluster};
use crate::config::cluster::Cluster;
use crate::provision::seed::{Leak, State};

/// List the secrets that the cluster needs and report those that are missing
#[derive(Debug, Args)]
pub(super) struct Secrets {
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

/// One secret. Its bytes are never read.
#[derive(Serialize)]
struct Secret {
    name: String,
    state: State,
    /// The file that `rk1 flash` reads, if it does.
    file: Option<PathBuf>,
    uses: Vec<Use>,
}

/// What a secret is for, the nodes that get it, and where it lies there.
#[derive(Serialize)]
struct Use {
    what: String,
    nodes: String,
    path_on_node: Option<String>,
}

impl Secrets {
    pub(super) fn run(self, file: &Path) -> anyhow::Result<Outcome> {
        let cluster = read_cluster(file)?;
        let folder = folder_of(file);
        let secrets = secrets(&cluster, folder)?;
        if self.json {
            print(&format!("{:#}\n", serde_json::json!(secrets)))?;
        } else {
            print(&table(&secrets))?;
        }
        let mut unfit = 0;
        for secret in &secrets {
            let hints = secret.hints(folder)?;
            unfit += usize::from(!hints.is_empty());
            for hint in hints {
                anstream::eprintln!("{}: {hint}", secret.name);
            }
        }
        let elsewhere = secrets.iter().filter(|secret| secret.state == State::Elsewhere).count();
        match unfit {
            0 if elsewhere > 0 => anstream::eprintln!(
                "{} secrets, all present but {elsewhere} that the nodes get elsewhere",
                secrets.len()
            ),
            0 => anstream::eprintln!("{} secrets, all present", secrets.len()),
            count => anstream::eprintln!("{count} of {} secrets are not ready", secrets.len()),
        }
        Ok(if unfit == 0 { Outcome::Done } else { Outcome::Failed })
    }
}

impl Secret {
    /// What is to be done before it can be flashed.
    fn hints(&self, folder: &Path) -> io::Result<Vec<String>> {
        let Some(file) = self.file.as_deref() else { return Ok(Vec::new()) };
        let leak = if self.state == State::Missing { None } else { Leak::of(file, folder)? };
        Ok(self.state.hint(file).into_iter().chain(leak.map(|leak| leak.hint(file))).collect())
    }
}

/// Those that something uses, in the order of the names.
fn secrets(cluster: &Cluster, folder: &Path) -> io::Result<Vec<Secret>> {
    let all = cluster.secret_uses();
    let mut secrets = Vec::new();
    for name in cluster.secrets.0.keys() {
        let uses: Vec<_> = all
            .iter()
            .filter(|each| &each.secret == name)
            .map(|each| Use {
                what: each.what.clone(),
                nodes: each.recipients.words().to_owned(),
                path_on_node: each.path_on_node(),
            })
            .collect();
        if uses.is_empty() {
            continue;
        }
        let file = cluster.secrets.file(name).map(|path| folder.join(path));
        let state = file.as_deref().map_or(Ok(State::Elsewhere), State::of)?;
        secrets.push(Secret { name: name.as_str().to_owned(), state, file, uses });
    }
    Ok(secrets)
}

/// A line for each use of each secret.
fn table(secrets: &[Secret]) -> String {
    let mut rows = vec![["SECRET", "STATE", "FILE", "ON", "AT", "FOR"].map(str::to_owned)];
    for secret in secrets {
        for each in &secret.uses {
            rows.push([
                secret.name.clone(),
                secret.state.words().to_owned(),
                secret.file.as_ref().map_or("-".to_owned(), |file| file.display().to_string()),
                each.nodes.clone(),
                each.path_on_node.clone().unwrap_or_else(|| "-".to_owned()),
                each.what.clone(),
            ]);
        }
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<_> = (0..6).map(width).collect();
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let cells: Vec<_> = cells.collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
