//! Whether a node that is in use may be overwritten.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use tokio::select;
use tokio::task::spawn_blocking;

use super::screen::Screen;
use super::stop::Stop;
use super::target::Target;
use crate::config::cluster::Cluster;
use crate::operate::status::{Access, connect};
use crate::provision::flash::{Interrupt, ssh};

/// The longest that Kubernetes and the node may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks, unless nothing is heard of the node or the question was answered beforehand.
pub(super) async fn ask(
    cluster: &Cluster,
    folder: &Path,
    target: &Target<'_>,
    yes: bool,
    interrupt: &mut Interrupt,
    screen: &Screen,
) -> Result<(), Stop> {
    let name = target.name();
    let signs = select! {
        signs = signs_of_use(cluster, folder, target) => signs,
        () = interrupt.wait() => return Err(Stop::interrupted(name)),
    };
    let Some(signs) = signs else { return Ok(()) };
    let in_use = format!("the node is in use: {signs}");
    if yes {
        screen.line(&format!("{in_use}; it will be overwritten"));
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Stop::new(name, in_use).with_hint("say `--yes` to overwrite it"));
    }
    eprint!("{name}: {in_use}. Overwrite its eMMC? [y/N] ");
    let _ = io::stderr().flush();
    let answer = select! {
        answer = spawn_blocking(read_line) => answer,
        () = interrupt.wait() => return Err(Stop::interrupted(name)),
    };
    match answer {
        Ok(Ok(answer)) if ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) => Ok(()),
        _ => Err(Stop::new(name, "not overwritten")),
    }
}

/// By what it is told that the node is in use. Where Kubernetes cannot be asked, as before there is a cluster, its ssh
/// alone tells.
async fn signs_of_use(cluster: &Cluster, folder: &Path, target: &Target<'_>) -> Option<String> {
    let access = Access { kubeconfig: None, folder: folder.to_owned(), limit: PATIENCE };
    let (answers, kubernetes) = tokio::join!(ssh::answers(target.address()), connect(cluster, &access));
    match kubernetes {
        Ok(connection) if connection.is_ready(target.name()) => {
            Some(format!("it is ready, says {}", connection.server))
        }
        _ => answers.then(|| format!("ssh answers at {}", target.address())),
    }
}

fn read_line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().read_line(&mut line).map(|_| line)
}
