use std::path::Path;

use clap::Args;

use super::cluster_file::{folder_of, read_cluster};
use super::outcome::Outcome;
use super::output::{print, print_hint, say};
use crate::common::secret_file::SecretState;
use crate::common::table::{self, Cell};
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
            print(&listing(&secrets))?;
        }
        for secret in &secrets {
            for hint in secret.hints() {
                print_hint(&format!("{}: {hint}", secret.name));
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
fn listing(secrets: &[ListedSecret]) -> String {
    let mut rows = vec![["SECRET", "STATE", "FILE", "NODES", "PATH ON NODE", "USE"].map(Cell::plain).into()];
    for secret in secrets {
        for each in &secret.uses {
            let row = [
                secret.name.clone(),
                state(&secret.state),
                secret.file.as_ref().map_or("-".to_owned(), |file| file.display().to_string()),
                each.nodes.clone(),
                each.path_on_node.clone().unwrap_or_else(|| "-".to_owned()),
                each.what.clone(),
            ];
            rows.push(row.map(Cell::plain).into());
        }
    }
    table::text(&rows)
}

/// Formats a state. Everything that keeps a secret from being flashed is in capitals.
fn state(state: &SecretState) -> String {
    match state {
        SecretState::Present | SecretState::Elsewhere => state.name().to_owned(),
        _ => state.name().to_uppercase().replace('-', " "),
    }
}
