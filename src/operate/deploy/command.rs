//! The command lines that a deploy runs and shows.

use std::fmt;

use super::guard;
use crate::common::shell;
use crate::config::cluster::Node;

/// A call of `nixos-rebuild`, without the environment that it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RebuildCommand {
    pub(super) arguments: Vec<String>,
}

/// A command that a node runs, called over `ssh`. No secret is ever part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeCommand {
    pub(super) target: String,
    pub(super) words: Vec<String>,
}

impl fmt::Display for RebuildCommand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_words(formatter, REBUILD, &self.arguments)
    }
}

impl fmt::Display for NodeCommand {
    /// Without the options of [`crate::common::ssh`], which change nothing about what the node does.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_words(formatter, "ssh", [&self.target].into_iter().chain(&self.words))
    }
}

fn write_words<'a>(
    formatter: &mut fmt::Formatter<'_>,
    program: &str,
    words: impl IntoIterator<Item = &'a String>,
) -> fmt::Result {
    formatter.write_str(program)?;
    words.into_iter().try_for_each(|word| write!(formatter, " {}", shell::word(word)))
}

pub(super) const REBUILD: &str = "nixos-rebuild";

/// An action of `nixos-rebuild`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rebuild {
    /// Build, copy to the node, and print which units would be restarted there.
    DryActivate,
    Switch,
    /// Make the system the one of the next boot.
    Boot,
}

/// The flake that describes the hosts, and what the user adds to each `nixos-rebuild`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flake {
    pub reference: String,
    pub further_arguments: Vec<String>,
}

impl Flake {
    #[must_use]
    pub(super) fn rebuild(&self, node: &Node, rebuild: Rebuild) -> RebuildCommand {
        let action = match rebuild {
            Rebuild::DryActivate => "dry-activate",
            Rebuild::Switch => "switch",
            Rebuild::Boot => "boot",
        };
        let flake = format!("{}#{}", self.reference, node.name);
        let arguments = [action, "--flake", &flake, "--target-host", &node.ssh.clone()].map(str::to_owned);
        RebuildCommand {
            arguments: arguments.into_iter().chain(self.further_arguments.iter().cloned()).collect(),
        }
    }
}

fn on_node(node: &Node, words: &[&str]) -> NodeCommand {
    NodeCommand { target: node.ssh.clone(), words: words.iter().copied().map(str::to_owned).collect() }
}

#[must_use]
pub(super) fn guard(node: &Node, order: guard::Order) -> NodeCommand {
    let seconds;
    let words: &[&str] = match order {
        guard::Order::Arm(limit, previous) => {
            seconds = limit.as_secs().max(1).to_string();
            match previous {
                guard::Previous::Running => &["rk1-guard", "arm", &seconds],
                guard::Previous::Booted => &["rk1-guard", "arm", &seconds, "booted"],
            }
        }
        guard::Order::Reboot => &["rk1-guard", "reboot"],
        guard::Order::Confirm => &["rk1-guard", "confirm"],
        guard::Order::Revert => &["rk1-guard", "revert"],
    };
    on_node(node, words)
}

#[must_use]
pub(super) fn guard_state(node: &Node) -> NodeCommand {
    on_node(node, &["rk1-guard", "state"])
}

/// Returns the command that asks what of a system takes effect after a reboot only.
#[must_use]
pub(super) fn needs_reboot(node: &Node, system: &str) -> NodeCommand {
    on_node(node, &["rk1-guard", "needs-reboot", system])
}

/// Returns the command that compares secrets, or replaces them. Its input has them.
#[must_use]
pub(super) fn secrets(node: &Node, action: &str) -> NodeCommand {
    on_node(node, &["rk1-secrets", action])
}

/// Returns the command that asks a server's own member of etcd: the API server of k3s asks the member beside it.
#[must_use]
pub(super) fn etcd(server: &Node) -> NodeCommand {
    on_node(server, &["k3s", "kubectl", "get", "--raw=/readyz/etcd"])
}

/// Returns the command that undoes a switch by hand, without evaluating anything.
#[must_use]
pub fn roll_back(node: &Node) -> NodeCommand {
    let profile = "/nix/var/nix/profiles/system";
    let back =
        format!("nix-env --profile {profile} --rollback && {profile}/bin/switch-to-configuration switch");
    NodeCommand { target: node.ssh.clone(), words: vec![back] }
}
