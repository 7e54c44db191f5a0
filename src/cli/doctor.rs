use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokio::time::timeout;

use super::cluster_file::{FILE_NAME, folder_of, read_cluster};
use super::outcome::Outcome;
use super::output::{note, print, print_hint};
use super::runtime::runtime;
use crate::common::secret_file::SecretState;
use crate::common::table::{self, Cell};
use crate::config::cluster::Cluster;
use crate::operate::doctor::{Check, check_machine, check_network};
use crate::operate::status::{Cause, Finding, Verdict};
use crate::provision::bmc::first_sight;
use crate::provision::bmc::pins::BmcPins;

/// Check what this machine and its network have for each step, without changing anything
///
/// Without a cluster.toml, only this machine is checked. Exits with 0 if nothing is missing, 1 if something is, and 3 if
/// something could not be checked.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Print the result as JSON on standard output
    #[arg(long)]
    json: bool,
}

/// Time that a BMC has to show its certificate. It is a slow computer.
const BMC_LIMIT: Duration = Duration::from_secs(10);

impl Doctor {
    pub(super) fn run(self, file: &Path) -> anyhow::Result<Outcome> {
        let has_file = file != Path::new(FILE_NAME) || file.exists();
        let cluster = if has_file { Some(read_cluster(file)?) } else { None };
        let mut checks = runtime()?.block_on(async {
            let Some(cluster) = &cluster else { return check_machine().await };
            let (machine, network, boards) =
                tokio::join!(check_machine(), check_network(cluster), check_boards(cluster, folder_of(file)));
            [machine, network, boards].concat()
        });
        if let Some(cluster) = &cluster {
            checks.extend(check_secrets(cluster, folder_of(file)));
        }
        self.show(&checks)?;
        if cluster.is_none() {
            note(format!("no `{FILE_NAME}` here: routers, boards, DNS and secrets were not checked"));
        }
        Ok(match checks.iter().map(|check| check.finding.verdict()).max() {
            None | Some(Verdict::Good) => Outcome::Done,
            Some(Verdict::Wrong) => Outcome::Failed,
            Some(Verdict::Unknown) => Outcome::Unknown,
        })
    }

    fn show(&self, checks: &[Check]) -> anyhow::Result<()> {
        if self.json {
            return print(&format!("{:#}\n", json!(checks)));
        }
        let (rows, hints): (Vec<_>, Vec<_>) = checks.iter().map(row_and_hint).unzip();
        for (line, hint) in table::lines(&rows).iter().zip(hints) {
            print(&format!("{line}\n"))?;
            if let Some(hint) = hint {
                print_hint(hint);
            }
        }
        Ok(())
    }
}

/// Returns a row of the table, and what to do if the check did not pass.
fn row_and_hint(check: &Check) -> (Vec<Cell>, Option<&str>) {
    let (word, text, hint) = match &check.finding {
        Finding::Good { what } => ("ok", what, None),
        Finding::Wrong { what, look_at, .. } => ("WRONG", what, Some(look_at.as_str())),
        Finding::Unknown { why, look_at } => ("unknown", why, look_at.as_deref()),
    };
    ([word, check.step, &check.subject, text].map(Cell::plain).into(), hint)
}

/// Checks that each board controller (BMC) answers, and that its certificate is the pinned one.
async fn check_boards(cluster: &Cluster, folder: &Path) -> Vec<Check> {
    let pins = BmcPins::read(folder);
    let boards = cluster.boards.iter().map(|board| async {
        let address = IpAddr::from(board.bmc.value);
        let pinned = pins.as_ref().ok().and_then(|pins| pins.of(address));
        let cable = "`bmc` of the board in cluster.toml, its cable, its power";
        let finding = match (timeout(BMC_LIMIT, first_sight(address)).await, pinned) {
            (Ok(Ok(seen)), Some(pinned)) if seen == pinned => {
                Finding::good(format!("{address} answers, with the pinned certificate"))
            }
            (Ok(Ok(seen)), Some(_)) => Finding::wrong(
                Cause::Environment,
                format!("{address} has another certificate than before: {seen}"),
                "docs/flash.md: a new certificate",
            ),
            (Ok(Ok(seen)), None) => {
                Finding::good(format!("{address} answers; `rk1 flash` will ask about its certificate {seen}"))
            }
            (Ok(Err(error)), _) => Finding::wrong(Cause::Environment, format!("{address}: {error}"), cable),
            (Err(_), _) => Finding::wrong(Cause::Environment, format!("{address} does not answer"), cable),
        };
        Check::new("flash", format!("BMC {}", board.name), finding)
    });
    futures_util::future::join_all(boards).await
}

fn check_secrets(cluster: &Cluster, folder: &Path) -> Vec<Check> {
    let uses = cluster.secret_uses();
    let names = cluster.secrets.0.keys().filter(|name| uses.iter().any(|each| &each.secret == *name));
    let checks = names.filter_map(|name| {
        let file = folder.join(cluster.secrets.file(name)?);
        let state = SecretState::of(&file);
        let hint = match state {
            SecretState::Missing if cluster.made_kind(name).is_some() => {
                Some("run `rk1 secrets --generate`".to_owned())
            }
            _ => state.hint(&file),
        };
        let finding = match hint {
            None => Finding::good(state.to_string()),
            Some(hint) => Finding::wrong(Cause::Environment, state.to_string(), hint),
        };
        Some(Check::new("flash", format!("secret {}", name.as_str()), finding))
    });
    checks.collect()
}
