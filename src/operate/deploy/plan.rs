//! The nodes of a deploy, their order, and the steps of each.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use thiserror::Error;

use super::reboot::Reboot;
use crate::config::cluster::{Cluster, Label, NoSuchNode, Node, SecretName, Versions};
use crate::config::written::Role;

/// The options of a deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Evict each node's pods first. A node that reboots is always drained.
    pub drains: bool,
    pub drain: Drain,
    pub reboot: Reboot,
    /// The time from arming the guard to the confirmation.
    pub limit: Duration,
    /// The same, if the node reboots meanwhile.
    pub reboot_limit: Duration,
    /// Continue although checks failed before.
    pub anyway: bool,
    /// How many agents are switched at the same time, after the first.
    pub at_once: NonZeroUsize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drain {
    /// The time that pods have to end, including waits for disruption budgets.
    pub limit: Duration,
    /// Evict pods with an `emptyDir` too, whose data is lost.
    pub delete_empty_dirs: bool,
}

/// A step of a node. The steps are done in this order; the first two are done for all nodes before the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Check the node. What passes now has to pass afterwards.
    Check,
    /// Build the system and copy it to the node's store.
    Build,
    /// Check the node again, after all builds.
    Recheck,
    /// Replace the node's secrets that differ from those beside `cluster.toml`.
    Secrets,
    Drain,
    /// Arm the guard: from here on the node rolls back by itself.
    Arm,
    Switch,
    /// Make the system the one of the next boot.
    Install,
    /// Boot it, once until it is confirmed.
    Reboot,
    /// Wait until all checks that passed before pass again.
    Verify,
    /// Disarm the guard: from here on the new system stays.
    Confirm,
    Uncordon,
}

impl Step {
    /// Whether it is done for all nodes before the first of them changes.
    #[must_use]
    pub fn is_ahead(self) -> bool {
        matches!(self, Self::Check | Self::Build)
    }

    /// Returns the word for it on the screen.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Build => "build",
            Self::Recheck => "recheck",
            Self::Secrets => "secrets",
            Self::Drain => "drain",
            Self::Arm => "arm",
            Self::Switch => "switch",
            Self::Install => "install",
            Self::Reboot => "reboot",
            Self::Verify => "verify",
            Self::Confirm => "confirm",
            Self::Uncordon => "uncordon",
        }
    }
}

/// Nodes that cannot be deployed.
#[derive(Debug, Error)]
pub enum PlanError {
    #[error(transparent)]
    Unknown(#[from] NoSuchNode),
    #[error("node `{name}` is of the kind `{kind}`, on which rk1 deploys nothing")]
    NotAHost { name: Label, kind: &'static str },
}

impl PlanError {
    /// What to do instead.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown(unknown) => unknown.hint(),
            Self::NotAHost { name, .. } => {
                format!("update its k3s by the machine's own means: `rk1 join {name}` prints the version")
            }
        }
    }
}

/// Nodes in the order in which they are switched.
#[derive(Debug)]
pub struct Plan<'a> {
    pub nodes: Vec<&'a Node>,
    /// All servers of the cluster: each has a member of etcd.
    pub servers: Vec<&'a Node>,
    pub options: Options,
    /// The versions that the cluster is to have.
    pub versions: Versions,
    /// The secrets of each node that are compared, and replaced if they differ.
    pub secrets: BTreeMap<Label, Vec<SecretName>>,
}

impl<'a> Plan<'a> {
    /// Makes a plan for these nodes, or for all if `names` is empty. Agents come first, since a mistake there leaves etcd
    /// alone; then the servers; last the server that founded the cluster, through which the others join.
    ///
    /// Machines that are no hosts of NixOS are left out.
    pub fn new(cluster: &'a Cluster, names: &[String], options: Options) -> Result<Self, PlanError> {
        for name in names {
            let node = cluster.node(name)?;
            if !node.is_host() {
                return Err(PlanError::NotAHost { name: node.name.clone(), kind: node.module.word });
            }
        }
        let is_meant = |name: &Label| names.is_empty() || names.iter().any(|meant| meant == name.as_str());
        let mut nodes: Vec<_> = cluster.hosts().filter(|node| is_meant(&node.name)).collect();
        // Stable: within a rank the order is that of the file.
        nodes.sort_by_key(|node| match node.role {
            Role::Agent => 0,
            Role::Server if node.name != cluster.k3s.first_server => 1,
            Role::Server => 2,
        });
        let servers = cluster.nodes.iter().filter(|node| node.role == Role::Server).collect();
        Ok(Self { nodes, servers, options, versions: cluster.versions.clone(), secrets: BTreeMap::new() })
    }

    /// Returns which of some nodes of the plan are switched at the same time, group by group: the first agent alone, because
    /// what breaks it would break the others too, then the other agents, and servers one by one.
    #[must_use]
    pub fn groups<'b>(&self, nodes: &'b [&'a Node]) -> Vec<&'b [&'a Node]> {
        let (agents, servers) = split(nodes);
        let (first, others) = agents.split_at(agents.len().min(1));
        let at_once = self.options.at_once.get();
        first.chunks(1).chain(others.chunks(at_once)).chain(servers.chunks(1)).collect()
    }

    /// Returns the same with the servers first: no kubelet may be newer than the API server.
    #[must_use]
    pub fn groups_of_an_upgrade<'b>(&self, nodes: &'b [&'a Node]) -> Vec<&'b [&'a Node]> {
        let mut groups = self.groups(nodes);
        groups.rotate_right(split(nodes).1.len());
        groups
    }

    /// Returns the nodes that are switched together with this one.
    pub fn beside(&self, node: &Node) -> impl Iterator<Item = &'a Node> {
        let is_node = |other: &&Node| other.name == node.name;
        let group =
            self.groups(&self.nodes).into_iter().find(|group| group.iter().any(is_node)).unwrap_or_default();
        group.iter().copied().filter(move |other| !is_node(other)).collect::<Vec<_>>().into_iter()
    }

    /// Returns the steps of a node.
    #[must_use]
    pub fn steps(&self, node: &Node) -> Vec<Step> {
        let reboots = self.options.reboot == Reboot::Always;
        let drains = reboots || self.options.drains;
        let steps = [
            (Step::Check, true),
            (Step::Build, true),
            (Step::Recheck, true),
            (Step::Secrets, self.secrets.contains_key(&node.name)),
            (Step::Drain, drains),
            (Step::Arm, true),
            (Step::Switch, !reboots),
            (Step::Install, reboots),
            (Step::Reboot, reboots),
            (Step::Verify, true),
            (Step::Confirm, true),
            (Step::Uncordon, drains),
        ];
        steps.into_iter().filter(|(_, is_done)| *is_done).map(|(step, _)| step).collect()
    }

    /// Returns the time from arming the guard to the confirmation.
    #[must_use]
    pub(super) fn limit(&self, reboots: bool) -> Duration {
        if reboots { self.options.reboot_limit } else { self.options.limit }
    }

    /// Returns the servers that keep etcd running while this node does not.
    pub fn other_servers(&self, node: &Node) -> impl Iterator<Item = &'a Node> {
        let name = node.name.clone();
        self.servers.iter().copied().filter(move |server| server.name != name)
    }
}

/// Splits nodes in the order of a plan into agents and servers.
fn split<'b, 'a>(nodes: &'b [&'a Node]) -> (&'b [&'a Node], &'b [&'a Node]) {
    nodes.split_at(nodes.iter().take_while(|node| node.role == Role::Agent).count())
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::time::Duration;

    use super::{Drain, Options, Plan, Reboot, Step};
    use crate::config::cluster::Cluster;
    use crate::config::diagnostics::Problems;
    use crate::config::source::Source;

    #[test]
    fn agents_come_first_and_the_first_server_last() {
        let text = include_str!("../../../cluster.toml");
        let text = text.replace("[storage]\n", "[k3s]\nfirst-server = \"rk1-02\"\n\n[storage]\n");
        let source = Source { name: "cluster.toml".to_owned(), text };
        let cluster = Cluster::parse(&source, &mut Problems::default()).expect("a valid cluster");
        let options = Options {
            drains: false,
            drain: Drain { limit: Duration::ZERO, delete_empty_dirs: false },
            reboot: Reboot::Ask,
            limit: Duration::ZERO,
            reboot_limit: Duration::ZERO,
            anyway: false,
            at_once: NonZeroUsize::new(2).expect("not zero"),
        };
        let order = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            let plan = Plan::new(&cluster, &names, options).expect("its nodes");
            plan.nodes.iter().map(|node| node.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(order(&[]), ["rk1-04", "rk1-01", "rk1-03", "rk1-02"]);
        assert_eq!(order(&["rk1-02", "rk1-03", "rk1-03"]), ["rk1-03", "rk1-02"]);

        let plan = Plan::new(&cluster, &[], options).expect("its nodes");
        assert!(!plan.nodes.iter().any(|node| plan.steps(node).contains(&Step::Drain)));
        let error = Plan::new(&cluster, &["gateway".to_owned()], options).expect_err("no such node");
        assert_eq!(error.to_string(), "the cluster has no node `gateway`");
        assert_eq!(error.hint(), "its nodes are `rk1-01`, `rk1-02`, `rk1-03`, `rk1-04`");
    }
}
