//! A plan as text: what `--dry-run` prints, and what the screen shows when a step begins.

use std::fmt::Write;

use super::command::{self, Flake, NodeCommand, Rebuild};
use super::guard::{Order, Previous};
use super::plan::{Plan, Step};
use super::reboot::Reboot;
use crate::config::cluster::{Node, SecretName};
use crate::config::written::Role;

/// Returns a line for each step of each node, in the order in which they are done.
#[must_use]
pub(crate) fn listing(plan: &Plan<'_>, flake: &Flake) -> String {
    let mut text = String::new();
    let mut list = |nodes: &[&Node], is_ahead: bool| {
        for node in nodes {
            for step in plan.steps(node).into_iter().filter(|step| step.is_ahead() == is_ahead) {
                let _ = writeln!(text, "{}", line(plan, flake, node, step));
            }
        }
    };
    list(&plan.nodes, true);
    for group in plan.groups(&plan.nodes) {
        list(group, false);
    }
    text
}

#[must_use]
pub(crate) fn line(plan: &Plan<'_>, flake: &Flake, node: &Node, step: Step) -> String {
    let what = match step {
        Step::Check => {
            format!("rk1 status {}; {}", node.name, command::guard_state(node))
        }
        Step::Build => flake.rebuild(node, Rebuild::DryActivate).to_string(),
        Step::Recheck => recheck(plan, node),
        Step::Secrets => {
            let names = plan.secrets.get(&node.name).into_iter().flatten().map(SecretName::as_str);
            let names = names.collect::<Vec<_>>().join(", ");
            format!("{}: {names}", command::secrets(node, "compare"))
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

/// What is checked again, and which nodes are switched meanwhile.
fn recheck(plan: &Plan<'_>, node: &Node) -> String {
    let names =
        |nodes: Vec<&Node>| nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", ");
    let others: Vec<_> = plan.other_servers(node).collect();
    let beside: Vec<_> = plan.beside(node).collect();
    let more = match node.role {
        Role::Server if others.is_empty() => "; the API is away while k3s restarts".to_owned(),
        Role::Server => format!("; etcd on {}", names(others)),
        Role::Agent if beside.is_empty() => String::new(),
        Role::Agent => format!("; the node is switched together with {}", names(beside)),
    };
    format!("rk1 status {} again{more}", node.name)
}

/// Returns the command that rolls a node back at once.
#[must_use]
pub(crate) fn revert(node: &Node) -> NodeCommand {
    command::guard(node, Order::Revert)
}
