//! A plan as text: what `--dry-run` prints, and what the screen shows when a step begins.

use std::fmt::Write;

use super::command::{self, Flake, NodeCommand, Rebuild};
use super::guard::{Order, Previous};
use super::plan::{Plan, Step};
use super::reboot::Reboot;
use crate::config::cluster::{Node, SecretName};

/// Returns a line for each step of each node.
#[must_use]
pub(crate) fn listing(plan: &Plan<'_>, flake: &Flake) -> String {
    plan.nodes.iter().fold(String::new(), |mut text, node| {
        for step in plan.steps(node) {
            let _ = writeln!(text, "{}", line(plan, flake, node, step));
        }
        text
    })
}

#[must_use]
pub(crate) fn line(plan: &Plan<'_>, flake: &Flake, node: &Node, step: Step) -> String {
    let what = match step {
        Step::Check => {
            format!("rk1 status {}; {}", node.name, command::guard_state(node))
        }
        Step::Build => flake.rebuild(node, Rebuild::DryActivate).to_string(),
        Step::Secrets => {
            let names = plan.secrets.get(&node.name).into_iter().flatten().map(SecretName::as_str);
            let names = names.collect::<Vec<_>>().join(", ");
            format!("{}: {names}", command::secrets(node, "compare"))
        }
        Step::Quorum => {
            match plan.other_servers(node).map(|server| server.name.to_string()).collect::<Vec<_>>() {
                others if others.is_empty() => {
                    "the only server: the API is away while k3s restarts".to_owned()
                }
                others => format!("etcd on {}", others.join(", ")),
            }
        }
        Step::Drain => "cordon the node, and evict its pods".to_owned(),
        Step::Arm => {
            let reboots = plan.options.reboot == Reboot::Always;
            command::guard(node, Order::Arm(plan.limit(reboots), Previous::Running)).to_string()
        }
        Step::Switch => flake.rebuild(node, Rebuild::Switch).to_string(),
        Step::Install => flake.rebuild(node, Rebuild::Boot).to_string(),
        Step::Reboot => command::guard(node, Order::Reboot).to_string(),
        Step::Verify => "wait until all checks pass".to_owned(),
        Step::Confirm => command::guard(node, Order::Confirm).to_string(),
        Step::Uncordon => "allow pods on the node again".to_owned(),
    };
    format!("{}  {:<8}  {what}", node.name, step.word())
}

/// Returns the command that rolls a node back at once.
#[must_use]
pub(crate) fn revert(node: &Node) -> NodeCommand {
    command::guard(node, Order::Revert)
}
