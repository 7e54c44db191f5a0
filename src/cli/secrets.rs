use std::path::Path;

use clap::Args;

use super::{Outcome, folder_of, print, read_cluster, say};
use crate::common::secret_file::SecretState;
use crate::provision::seed::{ListedSecret, Readiness, inventory};

/// List the secrets that the cluster needs and report those that are not ready
#[derive(Debug, Args)]
pub(super) struct Secrets {
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

impl Secrets {
    pub(super) fn run(self, file: &Path) -> anyhow::Result<Outcome> {
        let cluster = read_cluster(file)?;
        let secrets = inventory(&cluster, folder_of(file));
        if self.json {
            print(&format!("{:#}\n", serde_json::json!(secrets)))?;
        } else {
            print(&table(&secrets))?;
        }
        for secret in &secrets {
            for hint in secret.hints() {
                say!("{}: {hint}", secret.name);
            }
        }
        let total = secrets.len();
        let count = |readiness| secrets.iter().filter(|secret| secret.readiness() == readiness).count();
        let elsewhere = secrets.iter().filter(|secret| secret.state == SecretState::Elsewhere).count();
        Ok(match (count(Readiness::NotReady), count(Readiness::Unknown)) {
            (0, 0) if elsewhere > 0 => {
                say!("all {total} secrets are ready; {elsewhere} of them without a file");
                Outcome::Done
            }
            (0, 0) => {
                say!("all {total} secrets are ready");
                Outcome::Done
            }
            (0, unknown) => {
                say!("{unknown} of {total} secrets could not be checked");
                Outcome::Unknown
            }
            (not_ready, _) => {
                say!("{not_ready} of {total} secrets are not ready");
                Outcome::Failed
            }
        })
    }
}

/// Formats one line for each use of each secret.
fn table(secrets: &[ListedSecret]) -> String {
    let mut rows = vec![["SECRET", "STATE", "FILE", "NODES", "PATH ON NODE", "USE"].map(str::to_owned)];
    for secret in secrets {
        for each in &secret.uses {
            rows.push([
                secret.name.clone(),
                state(&secret.state),
                secret.file.as_ref().map_or("-".to_owned(), |file| file.display().to_string()),
                each.nodes.clone(),
                each.path_on_node.clone().unwrap_or_else(|| "-".to_owned()),
                each.what.clone(),
            ]);
        }
    }
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..6).map(width).collect();
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let cells: Vec<_> = cells.collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// Formats a state. Everything that keeps a secret from being flashed is in capitals.
fn state(state: &SecretState) -> String {
    match state {
        SecretState::Present | SecretState::Elsewhere => state.name().to_owned(),
        _ => state.name().to_uppercase().replace('-', " "),
    }
}
