//! The list of secrets, and which are not ready.

use std::path::Path;

use crate::cli::outcome::Outcome;
use crate::cli::output::{print, print_hint, say};
use crate::common::secret_file::SecretState;
use crate::common::table::{self, Cell};
use crate::config::cluster::Cluster;
use crate::provision::seed::{ListedSecret, Readiness, inventory};

pub(super) fn list(cluster: &Cluster, folder: &Path, is_json: bool) -> anyhow::Result<Outcome> {
    let secrets = inventory(cluster, folder);
    if is_json {
        print(&format!("{:#}\n", serde_json::json!(secrets)))?;
    } else {
        print(&listing(&secrets))?;
    }
    let (missing, others): (Vec<_>, Vec<_>) = secrets.iter().partition(|secret| secret.is_to_be_made());
    for secret in others {
        for hint in secret.hints() {
            print_hint(&format!("{}: {hint}", secret.name));
        }
    }
    if !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(|secret| secret.name.as_str()).collect();
        print_hint(&format!("run `rk1 secrets --generate` to make {}", names.join(", ")));
    }
    let total = secrets.len();
    let count = |readiness| secrets.iter().filter(|secret| secret.readiness() == readiness).count();
    let is_elsewhere =
        |secret: &&ListedSecret| matches!(secret.state, SecretState::Elsewhere | SecretState::Program);
    let elsewhere = secrets.iter().filter(is_elsewhere).count();
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
        SecretState::Present | SecretState::Elsewhere | SecretState::Program => state.name().to_owned(),
        _ => state.name().to_uppercase().replace('-', " "),
    }
}
