//! The lab: the cluster's network in network namespaces, with real BGP on both sides.
//!
//! A router runs FRR or BIRD with what is rendered for it; each node runs `GoBGP`, on which Cilium's control plane is
//! built, with what the rendered custom resources say. [`run`] is to be called by the first process of namespaces of
//! its own: it changes the network and mounts file systems, and leaves it to the kernel to take them away.

mod bird;
mod finding;
mod frr;
mod gobgp;
mod intruders;
mod namespace;
mod plan;
pub mod programs;
mod resource;
mod room;
mod router;
mod scenario;
mod traffic;
mod wait;

pub use finding::{Finding, Outcome};
pub use plan::{Daemon, Plan};

use std::io;
use std::time::Duration;

use thiserror::Error;

#[derive(Debug, Error)]
pub enum LabError {
    #[error("the lab makes network namespaces, which only root may (run it with `sudo`)")]
    NotRoot,
    #[error("`{program}` is not installed (Debian and Ubuntu: `apt-get install {package}`)")]
    Missing { program: &'static str, package: &'static str },
    #[error("`{command}` failed: {said}")]
    Failed { command: String, said: String },
    #[error("cannot run `{command}`")]
    Unrunnable { command: String, source: io::Error },
    #[error("cannot read or write in the lab")]
    Io(#[from] io::Error),
    #[error("`manifests/{file}` is not as expected: {what}")]
    Resource { file: &'static str, what: String },
    #[error("the router `{router}` at {address} is not in the network of the nodes, where the lab puts it")]
    FarRouter { router: String, address: std::net::IpAddr },
    #[error("{what} has not come about within {} s", limit.as_secs())]
    Late { what: String, limit: Duration },
    #[error("nothing can be rendered for the lab's router")]
    Render(#[from] crate::render::RenderError),
    #[error("`{command}` printed something else than expected: {said}")]
    Unexpected { command: String, said: String },
}

/// Runs the whole lab. Each finding is told as it is made. Where something was wrong, the last words of the programs
/// are noted as well.
///
/// Returns whether all was well.
///
/// # Errors
/// What kept the lab from running: then nothing is known.
pub fn run(
    plan: &Plan,
    tell: &mut dyn FnMut(&Finding),
    note: &mut dyn FnMut(&str),
) -> Result<bool, LabError> {
    let mut room = room::Room::build(plan)?;
    let mut is_well = true;
    let mut tell = |finding: Finding| {
        is_well &= matches!(finding.outcome, Outcome::Well(_));
        tell(&finding);
    };
    let outcome = scenario::play(&mut room, &mut tell);
    if outcome.is_err() || !is_well {
        for line in room.last_words() {
            note(&line);
        }
    }
    outcome.map(|()| is_well)
}
