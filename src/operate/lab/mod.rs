//! The lab: the cluster's network in network namespaces, with real BGP on both sides.
//!
//! A router runs FRR or BIRD with its rendered configuration; each node runs `GoBGP`, on which Cilium's control plane is
//! built, configured from the rendered custom resources. [`run`] must be called by the first process of namespaces of its
//! own: it changes the network and mounts file systems, and the kernel removes them with the namespaces.

mod bird;
mod check;
mod error;
mod frr;
mod gobgp;
mod intruders;
mod namespace;
mod network;
mod plan;
pub mod programs;
mod resource;
mod router;
mod scenario;
mod selector;
mod traffic;

pub use check::{CheckOutcome, LabCheck};
pub use error::LabError;
pub use plan::{Daemon, LabPlan};

/// Runs the whole lab and reports each check as it is made. Where a check failed, the ends of the programs' logs are noted
/// as well.
///
/// Returns whether all checks passed.
///
/// # Errors
/// What kept the lab from running: then nothing is known.
pub fn run(
    plan: &LabPlan,
    report: &mut dyn FnMut(&LabCheck),
    note: &mut dyn FnMut(&str),
) -> Result<bool, LabError> {
    let mut network = network::LabNetwork::build(plan)?;
    let mut passed = true;
    let mut report = |check: LabCheck| {
        passed &= matches!(check.outcome, CheckOutcome::Passed(_));
        report(&check);
    };
    let played = scenario::play(&mut network, &mut report);
    if played.is_err() || !passed {
        for line in network.log_tails() {
            note(&line);
        }
    }
    played.map(|()| passed)
}
