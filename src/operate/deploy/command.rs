//! The command lines that a deploy runs, and shows.

use std::fmt;

use super::guard;
use crate::config::cluster::Node;

/// A program and its arguments. No secret is ever among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    pub program: &'static str,
    /// They come first, and are not shown: they change nothing but how long is waited.
    pub options: &'static [&'static str],
    pub arguments: Vec<String>,
}

/// Nobody is there to answer a question, and a node that is away must not be waited for as long as TCP would.
const SSH_OPTIONS: &[&str] =
    &["-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5"];

impl fmt::Display for CommandLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.program)?;
        for argument in &self.arguments {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@%+,#[]".contains(&byte);
            if !argument.is_empty() && argument.bytes().all(is_plain) {
                write!(formatter, " {argument}")?;
            } else {
                write!(formatter, " '{}'", argument.replace('\'', r"'\''"))?;
            }
        }
        Ok(())
    }
}

/// What `nixos-rebuild` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rebuild {
    /// Builds, copies to the node and says which units would be restarted there.
    DryActivate,
    Switch,
}

/// Where the hosts are described, and what the operator adds to each `nixos-rebuild`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flake {
    pub reference: String,
    pub further_arguments: Vec<String>,
}

impl Flake {
    #[must_use]
    pub(super) fn rebuild(&self, node: &Node, rebuild: Rebuild) -> CommandLine {
        let action = match rebuild {
            Rebuild::DryActivate => "dry-activate",
            Rebuild::Switch => "switch",
        };
        let flake = format!("{}#{}", self.reference, node.name);
        let arguments = [action, "--flake", &flake, "--target-host", &target(node)].map(str::to_owned);
        CommandLine {
            program: "nixos-rebuild",
            options: &[],
            arguments: arguments.into_iter().chain(self.further_arguments.iter().cloned()).collect(),
        }
    }
}

/// A command that a node runs.
fn on_node(node: &Node, command: &[&str]) -> CommandLine {
    let arguments = [target(node)].into_iter().chain(command.iter().copied().map(str::to_owned));
    CommandLine { program: "ssh", options: SSH_OPTIONS, arguments: arguments.collect() }
}

#[must_use]
pub(super) fn guard(node: &Node, order: guard::Order) -> CommandLine {
    let seconds;
    let words: &[&str] = match order {
        guard::Order::Arm(limit) => {
            seconds = limit.as_secs().max(1).to_string();
            &["rk1-guard", "arm", &seconds]
        }
        guard::Order::Confirm => &["rk1-guard", "confirm"],
        guard::Order::Revert => &["rk1-guard", "revert"],
    };
    on_node(node, words)
}

#[must_use]
pub(super) fn guard_state(node: &Node) -> CommandLine {
    on_node(node, &["rk1-guard", "state"])
}

/// Whether a server's own member of etcd takes part in decisions: k3s's API server asks the member beside it.
#[must_use]
pub(super) fn etcd(server: &Node) -> CommandLine {
    on_node(server, &["k3s", "kubectl", "get", "--raw=/readyz/etcd"])
}

/// What undoes a switch by hand, without evaluating anything.
#[must_use]
pub fn roll_back(node: &Node) -> CommandLine {
    let profile = "/nix/var/nix/profiles/system";
    let back =
        format!("nix-env --profile {profile} --rollback && {profile}/bin/switch-to-configuration switch");
    CommandLine { program: "ssh", options: &[], arguments: vec![target(node), back] }
}

fn target(node: &Node) -> String {
    format!("root@{}", node.address.value.addr())
}
