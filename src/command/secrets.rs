use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::{Outcome, folder_of, print, read_cluster};
use crate::cluster::{Cluster, RouterAccess, SecretName};

/// Say which secrets the cluster needs, where each comes from and goes, and which are missing.
#[derive(Debug, Args)]
pub(super) struct Secrets {
    /// Print them as JSON.
    #[arg(long)]
    json: bool,
}

/// One secret. Its bytes are never read.
#[derive(Serialize)]
struct Secret {
    name: String,
    state: State,
    /// The file that `rk1 flash` reads.
    file: PathBuf,
    path_on_node: String,
    uses: Vec<Use>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Present,
    Missing,
    Empty,
    NotAFile,
    /// Others than its owner can read it.
    Exposed,
}

impl State {
    fn words(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Missing => "MISSING",
            Self::Empty => "EMPTY",
            Self::NotAFile => "NOT A FILE",
            Self::Exposed => "EXPOSED",
        }
    }

    fn hint(self, file: &Path) -> Option<String> {
        let file = file.display();
        match self {
            Self::Present => None,
            Self::Missing | Self::Empty => Some(format!("put the secret into `{file}`")),
            Self::NotAFile => Some(format!("make `{file}` a file that holds the secret")),
            Self::Exposed => Some(format!("keep it to yourself: `chmod 600 {file}`")),
        }
    }
}

/// What a secret is for, and the nodes that get it.
#[derive(Serialize)]
struct Use {
    what: String,
    nodes: &'static str,
}

const ALL: &str = "every node";
const SERVERS: &str = "servers";
const NONE: &str = "no node";

impl Secrets {
    pub(super) fn run(self, file: &Path) -> anyhow::Result<Outcome> {
        let cluster = read_cluster(file)?;
        let secrets = secrets(&cluster, folder_of(file))?;
        if self.json {
            print(&format!("{:#}\n", serde_json::json!(secrets)))?;
        } else {
            print(&table(&secrets))?;
        }
        let unfit: Vec<_> = secrets.iter().filter(|secret| secret.state != State::Present).collect();
        for secret in &unfit {
            if let Some(hint) = secret.state.hint(&secret.file) {
                anstream::eprintln!("{}: {hint}", secret.name);
            }
        }
        match unfit.len() {
            0 => anstream::eprintln!("{} secrets, all present", secrets.len()),
            count => anstream::eprintln!("{count} of {} secrets are not ready", secrets.len()),
        }
        Ok(if unfit.is_empty() { Outcome::Done } else { Outcome::Mistakes })
    }
}

/// Those that something uses, in the order of the names.
fn secrets(cluster: &Cluster, folder: &Path) -> io::Result<Vec<Secret>> {
    let mut secrets = Vec::new();
    for (name, path) in &cluster.secrets.0 {
        let uses = uses(cluster, name);
        if uses.is_empty() {
            continue;
        }
        let file = folder.join(path);
        let state = state(&file)?;
        secrets.push(Secret {
            name: name.as_str().to_owned(),
            state,
            file,
            path_on_node: name.path_on_node(),
            uses,
        });
    }
    Ok(secrets)
}

fn uses(cluster: &Cluster, name: &SecretName) -> Vec<Use> {
    let mut uses = Vec::new();
    if &cluster.k3s.token == name {
        uses.push(Use { what: "k3s: by this token nodes join".to_owned(), nodes: ALL });
    }
    if cluster.streamer.as_ref().is_some_and(|streamer| &streamer.token == name) {
        uses.push(Use { what: "streamer: token of Grafana".to_owned(), nodes: ALL });
    }
    let made = cluster.kubernetes_secrets().into_iter().filter(|secret| &secret.from == name);
    uses.extend(made.map(|secret| Use {
        what: format!("Secret {}/{}, key {}", secret.namespace, secret.name, secret.key),
        nodes: SERVERS,
    }));
    let asked = cluster.bgp.routers.iter().filter(|router| match &router.access {
        RouterAccess::Rest(rest) => rest.password.as_ref() == Some(name),
        RouterAccess::Ssh(_) | RouterAccess::Unsaid | RouterAccess::Off => false,
    });
    uses.extend(
        asked.map(|router| Use { what: format!("`rk1 status`: password on {}", router.name), nodes: NONE }),
    );
    uses
}

fn state(file: &Path) -> io::Result<State> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = match fs::metadata(file) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::Missing),
        Err(error) => return Err(error),
    };
    Ok(match metadata {
        metadata if !metadata.is_file() => State::NotAFile,
        metadata if metadata.len() == 0 => State::Empty,
        metadata if metadata.permissions().mode() & 0o077 != 0 => State::Exposed,
        _ => State::Present,
    })
}

/// A line for each use of each secret.
fn table(secrets: &[Secret]) -> String {
    let mut rows = vec![["SECRET", "STATE", "FILE", "ON", "AT", "FOR"].map(str::to_owned)];
    for secret in secrets {
        for each in &secret.uses {
            rows.push([
                secret.name.clone(),
                secret.state.words().to_owned(),
                secret.file.display().to_string(),
                each.nodes.to_owned(),
                if each.nodes == NONE { "-".to_owned() } else { secret.path_on_node.clone() },
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
