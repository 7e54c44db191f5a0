//! Tests of each way through a plan, with a stand-in for ssh, `nixos-rebuild` and Kubernetes.
//!
//! These tests are part of the crate, because `run` and its actions are not public.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::actions::{ActionError, Actions};
use super::command::Rebuild;
use super::guard::{GuardState, GuardStatus, Order, Previous};
use super::plan::{Drain, Options, Plan};
use super::reboot::{Reboot, RebootReasons};
use super::run;
use super::secrets::Replaced;
use crate::config::cluster::{Cluster, Node, Running};
use crate::config::diagnostics::Problems;
use crate::config::source::Source;
use crate::operate::status::{
    Cause, ClusterObservation, Finding, HostObservation, NodeObservation, Observation, RouterObservation,
    SessionObservation,
};

/// Long enough that no test waits for its end, however slow the machine.
const LONG: Duration = Duration::from_hours(1);
/// Ends as soon as it starts.
const NONE: Duration = Duration::ZERO;

/// What goes wrong on one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Nothing,
    Unhealthy,
    Unanswered,
    Armed,
    Etcd(&'static str),
    Unchanged,
    /// The new system has another kernel, and the user agrees to a reboot, or does not.
    NewKernel {
        agrees: bool,
    },
    /// The new system runs already, and its kernel does not.
    KernelWaits,
    /// `NixOS` refuses to switch to the new system.
    Inhibited,
    /// The boot loader brings the previous system back.
    RebootFails,
    BuildFails,
    SecretsFail,
    /// The node runs a release of k3s from which no step leads to the wanted one.
    SkipsRelease,
    /// All nodes run the release of k3s before the wanted one.
    OlderRelease,
    /// Its secrets differ, and its system does or does not.
    OldSecrets,
    OldSecretsUnchanged,
    DrainFails,
    ArmFails,
    SwitchFails,
    /// The node does not answer any more, until its guard rolls it back after this many questions.
    Silent {
        questions: usize,
    },
    SessionLost,
    ConfirmLost,
    ConfirmAnswerLost,
    UncordonFails,
    Cancelled {
        at: &'static str,
    },
}

struct World {
    node: &'static str,
    trouble: Trouble,
    told: RefCell<Vec<String>>,
    /// States of the guards that are not idle.
    states: RefCell<BTreeMap<String, GuardState>>,
    switched: RefCell<Vec<String>>,
    booted: RefCell<Vec<String>>,
    questions: Cell<usize>,
    is_cancelled: Cell<bool>,
}

impl World {
    fn new(node: &'static str, trouble: Trouble) -> Self {
        let armed = (trouble == Trouble::Armed).then(|| (node.to_owned(), GuardState::Armed { left: 70 }));
        Self {
            node,
            trouble,
            told: RefCell::default(),
            states: RefCell::new(armed.into_iter().collect()),
            switched: RefCell::default(),
            booted: RefCell::default(),
            questions: Cell::new(0),
            is_cancelled: Cell::new(false),
        }
    }

    fn tell(&self, node: &Node, what: &str) {
        self.told.borrow_mut().push(format!("{} {what}", node.name));
        if self.has(node, Trouble::Cancelled { at: "switch" }) && what == "switch"
            || self.has(node, Trouble::Cancelled { at: "build" }) && what == "build"
        {
            self.is_cancelled.set(true);
        }
    }

    fn has(&self, node: &Node, trouble: Trouble) -> bool {
        node.name.as_str() == self.node && self.trouble == trouble
    }

    fn fail(what: &str) -> ActionError {
        ActionError::Failed {
            command: what.to_owned(),
            status: "ended with status 1".to_owned(),
            said: String::new(),
        }
    }

    fn state(&self, node: &Node) -> GuardState {
        self.states.borrow().get(node.name.as_str()).copied().unwrap_or(GuardState::Confirmed)
    }

    fn set_state(&self, node: &Node, state: GuardState) {
        self.states.borrow_mut().insert(node.name.to_string(), state);
    }

    fn is_switched(&self, node: &Node) -> bool {
        self.switched.borrow().iter().any(|name| name == node.name.as_str())
    }

    fn roll_back(&self, node: &Node) {
        self.set_state(node, GuardState::Reverted);
        self.switched.borrow_mut().retain(|name| name != node.name.as_str());
        self.booted.borrow_mut().retain(|name| name != node.name.as_str());
    }

    /// Returns whether the node neither receives orders nor answers.
    fn is_silent(&self, node: &Node) -> bool {
        match self.trouble {
            Trouble::Silent { questions } if node.name.as_str() == self.node && self.is_switched(node) => {
                self.questions.set(self.questions.get() + 1);
                if self.questions.get() >= questions {
                    self.roll_back(node);
                    return false;
                }
                true
            }
            _ => false,
        }
    }
}

fn good() -> Finding {
    Finding::Good { what: "healthy".to_owned() }
}

fn wrong(what: &str) -> Finding {
    Finding::Wrong {
        what: what.to_owned(),
        cause: Cause::K3sNotRunning,
        object: None,
        look_at: "`journalctl`".to_owned(),
    }
}

impl Actions for World {
    async fn observe(&self, node: &Node) -> Result<Observation, ActionError> {
        let k3s = if self.has(node, Trouble::Unhealthy) { wrong("it has failed") } else { good() };
        let is_lost = self.has(node, Trouble::SessionLost) && self.is_switched(node);
        let session = if is_lost { wrong("it is down") } else { good() };
        Ok(Observation {
            nodes: vec![NodeObservation {
                name: node.name.clone(),
                host: Some(HostObservation {
                    answers: good(),
                    k3s,
                    disk: good(),
                    clock: good(),
                    system: good(),
                    streamer: None,
                }),
                ready: good(),
                cilium: good(),
            }],
            routers: vec![RouterObservation {
                name: node.name.clone(),
                answers: None,
                sessions: vec![SessionObservation { node: node.name.clone(), finding: session }],
                next_hops: None,
            }],
            cluster: ClusterObservation { kubernetes: good(), services: None },
        })
    }

    async fn etcd(&self, server: &Node) -> Result<(), ActionError> {
        match self.trouble {
            Trouble::Etcd(ill) if ill == server.name.as_str() => Err(Self::fail("etcd")),
            _ => Ok(()),
        }
    }

    async fn rebuild(&self, node: &Node, rebuild: Rebuild) -> Result<Option<String>, ActionError> {
        match rebuild {
            Rebuild::DryActivate => {
                self.tell(node, "build");
                if self.is_cancelled() {
                    return Err(ActionError::Cancelled);
                }
                if self.has(node, Trouble::BuildFails) {
                    return Err(Self::fail("nixos-rebuild"));
                }
                let is_old = self.has(node, Trouble::Unchanged)
                    || self.has(node, Trouble::OldSecretsUnchanged)
                    || self.has(node, Trouble::KernelWaits);
                Ok(Some(if is_old { "/nix/store/old" } else { "/nix/store/new" }.to_owned()))
            }
            Rebuild::Boot => {
                self.tell(node, "install");
                Ok(None)
            }
            Rebuild::Switch => {
                self.tell(node, "switch");
                self.switched.borrow_mut().push(node.name.as_str().to_owned());
                // Lets the other nodes go on.
                tokio::task::yield_now().await;
                if self.is_cancelled() {
                    return Err(ActionError::Cancelled);
                }
                if self.has(node, Trouble::SwitchFails) { Err(Self::fail("nixos-rebuild")) } else { Ok(None) }
            }
        }
    }

    async fn running(&self, node: &Node) -> Result<Running, ActionError> {
        let k3s = match self.trouble {
            Trouble::SkipsRelease if self.has(node, Trouble::SkipsRelease) => "v1.34.1+k3s1",
            Trouble::OlderRelease => "v1.35.2+k3s1",
            _ => "v1.36.4+k3s1",
        };
        Ok(Running { k3s: Running::kubelet(k3s), ..Running::default() })
    }

    async fn replace_secrets(&self, node: &Node) -> Result<Replaced, ActionError> {
        self.tell(node, "secrets");
        if self.has(node, Trouble::SecretsFail) {
            return Err(Self::fail("rk1-secrets"));
        }
        Ok(Replaced::Names(vec!["azure-dns".to_owned()]))
    }

    async fn guard(&self, node: &Node, order: Order) -> Result<(), ActionError> {
        let word = match order {
            Order::Arm(_, Previous::Running) => "arm",
            Order::Arm(_, Previous::Booted) => "arm booted",
            Order::Reboot => "reboot",
            Order::Confirm => "confirm",
            Order::Revert => "revert",
        };
        if self.is_silent(node) {
            self.tell(node, &format!("does not receive: {word}"));
            return Err(Self::fail("ssh"));
        }
        self.tell(node, word);
        match (order, self.state(node)) {
            (Order::Arm(..), _) if self.has(node, Trouble::ArmFails) => Err(Self::fail("ssh")),
            (Order::Confirm, _) if self.has(node, Trouble::ConfirmLost) => Err(Self::fail("ssh")),
            (Order::Reboot, _) if self.has(node, Trouble::RebootFails) => {
                self.roll_back(node);
                Ok(())
            }
            (Order::Reboot, GuardState::Armed { .. }) => {
                self.switched.borrow_mut().push(node.name.as_str().to_owned());
                self.booted.borrow_mut().push(node.name.as_str().to_owned());
                Ok(())
            }
            (Order::Arm(..), _) => {
                self.set_state(node, GuardState::Armed { left: 300 });
                Ok(())
            }
            (Order::Confirm, GuardState::Armed { .. }) => {
                self.set_state(node, GuardState::Confirmed);
                if self.has(node, Trouble::ConfirmAnswerLost) { Err(Self::fail("ssh")) } else { Ok(()) }
            }
            (Order::Revert, GuardState::Armed { .. }) => {
                self.roll_back(node);
                Ok(())
            }
            _ => Err(Self::fail("rk1-guard")),
        }
    }

    async fn needs_reboot(&self, node: &Node, _: &str) -> Result<RebootReasons, ActionError> {
        let is_there = node.name.as_str() == self.node;
        Ok(RebootReasons::parse(match self.trouble {
            Trouble::NewKernel { .. } | Trouble::KernelWaits if is_there => "kernel\n",
            Trouble::Inhibited if is_there => "refuses-switch dbus-implementation\n",
            _ => "",
        }))
    }

    async fn may_reboot(&self, node: &Node, reasons: &RebootReasons) -> bool {
        self.tell(node, &format!("asked about {reasons}"));
        self.trouble == Trouble::NewKernel { agrees: true }
    }

    async fn guard_state(&self, node: &Node) -> Result<GuardStatus, ActionError> {
        if self.has(node, Trouble::Unanswered) || self.is_silent(node) {
            return Err(Self::fail("ssh"));
        }
        let waits = self.has(node, Trouble::KernelWaits);
        let running = if self.is_switched(node) && !waits { "/nix/store/new" } else { "/nix/store/old" };
        let is_booted = self.booted.borrow().iter().any(|name| name == node.name.as_str());
        let booted = match (is_booted, waits) {
            (true, true) => "/nix/store/old",
            (true, false) => "/nix/store/new",
            (false, _) => "/nix/store/older",
        };
        Ok(GuardStatus {
            state: self.state(node),
            running: running.to_owned(),
            booted: Some(booted.to_owned()),
            system: None,
        })
    }

    async fn cordon(&self, node: &Node) -> Result<bool, ActionError> {
        self.tell(node, "cordon");
        Ok(true)
    }

    async fn uncordon(&self, node: &Node) -> Result<(), ActionError> {
        self.tell(node, "uncordon");
        if self.has(node, Trouble::UncordonFails) { Err(Self::fail("uncordon")) } else { Ok(()) }
    }

    async fn drain(&self, node: &Node, _: Drain) -> Result<(), ActionError> {
        self.tell(node, "drain");
        if self.has(node, Trouble::DrainFails) { Err(Self::fail("drain")) } else { Ok(()) }
    }

    async fn pause(&self, _: Duration) {}

    fn is_cancelled(&self) -> bool {
        self.is_cancelled.get()
    }
}

/// Deploys to a node with this trouble and to the next one. Returns the steps and the result of both.
fn deploy(node: &'static str, trouble: Trouble, limit: Duration, drains: bool) -> (String, String) {
    deploy_with(node, trouble, limit, drains, Reboot::Ask)
}

fn deploy_with(
    node: &'static str,
    trouble: Trouble,
    limit: Duration,
    drains: bool,
    reboot: Reboot,
) -> (String, String) {
    let drain = Drain { limit: LONG, delete_empty_dirs: false };
    let at_once = NonZeroUsize::MIN;
    let options = Options { drains, drain, reboot, limit, reboot_limit: limit, anyway: false, at_once };
    deploy_nodes(CLUSTER, &[node, "rk1-03"], World::new(node, trouble), options)
}

/// Deploys to these nodes of a cluster, or to all. Returns the steps and the results.
fn deploy_nodes(cluster: &str, names: &[&str], world: World, options: Options) -> (String, String) {
    let source = Source { name: "cluster.toml".to_owned(), text: cluster.to_owned() };
    let cluster = Cluster::parse(&source, &mut Problems::default()).expect("a valid cluster");
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    // Only the tests of secrets have any.
    let has_secrets =
        matches!(world.trouble, Trouble::SecretsFail | Trouble::OldSecrets | Trouble::OldSecretsUnchanged);
    let of_node = |node: &Node| (node.name.clone(), cluster.replaceable_secrets(node));
    let secrets = cluster.nodes.iter().filter(|_| has_secrets).map(of_node).collect();
    let plan = Plan::new(&cluster, &names, options).expect("nodes of the cluster");
    let plan = Plan { secrets, ..plan };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let report = runtime.block_on(run(&plan, &world, &|_, _| {}));
    let results = report.0.iter().map(|(node, result)| match result.failure() {
        Some(why) => format!("{node} {}; {why}", result.words()),
        None => format!("{node} {}", result.words()),
    });
    let results = results.collect::<Vec<_>>().join("\n");
    (world.told.into_inner().join(", "), results)
}

const CLUSTER: &str = include_str!("../../../cluster.toml");

const BUILT: &str = "rk1-04 build, rk1-03 build";
const DEPLOYED: &str = "rk1-04 deployed\nrk1-03 deployed";

fn stopped(result: &str) -> String {
    format!("rk1-04 {result}\nrk1-03 not started")
}

#[test]
fn healthy_nodes_are_built_and_then_switched_one_after_the_other() {
    let (told, results) = deploy("rk1-04", Trouble::Nothing, LONG, false);
    let of = |node: &str| ["arm", "switch", "confirm"].map(|step| format!("{node} {step}")).join(", ");
    let expected = format!("{BUILT}, {}, {}", of("rk1-04"), of("rk1-03"));
    assert_eq!((told, results.as_str()), (expected, DEPLOYED));

    let (told, results) = deploy("rk1-04", Trouble::Nothing, LONG, true);
    let steps = ["cordon", "drain", "arm", "switch", "confirm", "uncordon"];
    let of = |node: &str| steps.map(|step| format!("{node} {step}")).join(", ");
    let expected = format!("{BUILT}, {}, {}", of("rk1-04"), of("rk1-03"));
    assert_eq!((told, results.as_str()), (expected, DEPLOYED));
}

/// A cluster of one server and four agents.
fn agents() -> String {
    let node = |number: u8| {
        format!(
            "[[node]]\nname = \"n{number}\"\nboard = \"{}\"\nslot = {}\naddress = \"192.168.7.{number}/24\"\nrole = \"{}\"\n",
            if number < 5 { "a" } else { "b" },
            (number - 1) % 4 + 1,
            if number == 1 { "server" } else { "agent" },
        )
    };
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpGsjHz5ueLOKAjtTmSLtDtWsuIWBjcAWGgu5rnCQmC me@home";
    format!(
        "[cluster]\nname = \"home\"\ndomain = \"home.arpa\"\n[access]\nssh-keys = [\"{key}\"]\n\
         [network]\ngateway = \"192.168.7.254\"\n\
         [[board]]\nname = \"a\"\nbmc = \"192.168.7.250\"\n[[board]]\nname = \"b\"\nbmc = \"192.168.7.251\"\n\
         {}\
         [[pool]]\nname = \"lan\"\nranges = [\"192.168.7.200-192.168.7.209\"]\nannounce = \"l2\"\n\
         [storage]\ndevice = \"/dev/nvme0n1\"\n[gateway]\naddress = \"192.168.7.200\"\n[certificates]\nissuer = \"self-signed\"\n",
        (1..=5).map(node).collect::<String>()
    )
}

#[test]
fn agents_are_switched_together_after_the_first() {
    let options = Options {
        drains: false,
        drain: Drain { limit: LONG, delete_empty_dirs: false },
        reboot: Reboot::Ask,
        limit: LONG,
        reboot_limit: LONG,
        anyway: false,
        at_once: NonZeroUsize::new(2).expect("not zero"),
    };
    let built = "n2 build, n3 build, n4 build, n5 build, n1 build, n2 arm, n2 switch";
    let together = "n2 confirm, n3 arm, n3 switch, n4 arm, n4 switch";
    let (told, results) = deploy_nodes(&agents(), &[], World::new("n3", Trouble::Nothing), options);
    let rest = "n3 confirm, n4 confirm, n5 arm, n5 switch, n5 confirm, n1 arm, n1 switch, n1 confirm";
    assert_eq!(told, format!("{built}, {together}, {rest}"));
    assert_eq!(results, "n2 deployed\nn3 deployed\nn4 deployed\nn5 deployed\nn1 deployed");

    // What breaks the first agent breaks no other.
    let (told, results) = deploy_nodes(&agents(), &[], World::new("n2", Trouble::SwitchFails), options);
    assert_eq!(told, format!("{built}, n2 revert"));
    assert!(results.ends_with("n3 not started\nn4 not started\nn5 not started\nn1 not started"), "{results}");

    // The others of a group are not stopped half-way by one that fails.
    let (told, results) = deploy_nodes(&agents(), &[], World::new("n3", Trouble::SwitchFails), options);
    assert_eq!(told, format!("{built}, {together}, n3 revert, n4 confirm"));
    let rolled_back = "n3 rolled back to the previous system; `nixos-rebuild` ended with status 1";
    assert_eq!(results, format!("n2 deployed\n{rolled_back}\nn4 deployed\nn5 not started\nn1 not started"));

    // The first agent that changes goes alone, whichever it is.
    let (told, _) = deploy_nodes(&agents(), &[], World::new("n2", Trouble::Unchanged), options);
    assert!(told.contains("n1 build, n3 arm, n3 switch, n3 confirm, n4 arm, n4 switch, n5 arm"), "{told}");

    // No node is touched where one cannot be built.
    let (told, results) = deploy_nodes(&agents(), &[], World::new("n5", Trouble::BuildFails), options);
    assert_eq!(told, "n2 build, n3 build, n4 build, n5 build");
    assert!(
        results.starts_with("n2 not started\nn3 not started\nn4 not started\nn5 untouched;"),
        "{results}"
    );
}

#[test]
fn a_step_that_skips_a_release_is_refused_before_the_build() {
    let (told, results) = deploy("rk1-04", Trouble::SkipsRelease, LONG, true);
    assert_eq!(told, "");
    assert_eq!(results, stopped("untouched; k3s 1.34.1 runs, and the step to 1.36 skips a minor release"));
}

/// No kubelet may be newer than the API server.
#[test]
fn servers_come_first_when_kubernetes_is_upgraded() {
    let (told, results) = deploy("rk1-04", Trouble::OlderRelease, LONG, false);
    let of = |node: &str| ["arm", "switch", "confirm"].map(|step| format!("{node} {step}")).join(", ");
    assert_eq!(told, format!("{BUILT}, {}, {}", of("rk1-03"), of("rk1-04")));
    assert_eq!(results, DEPLOYED);
}

/// The new system may need them, and a system that does not change may have old ones.
#[test]
fn secrets_are_replaced_before_the_switch() {
    let (told, results) = deploy("rk1-04", Trouble::OldSecrets, LONG, false);
    let of =
        |node: &str| ["secrets", "arm", "switch", "confirm"].map(|step| format!("{node} {step}")).join(", ");
    let expected = format!("{BUILT}, {}, {}", of("rk1-04"), of("rk1-03"));
    assert_eq!((told, results.as_str()), (expected, DEPLOYED));

    let (told, results) = deploy("rk1-04", Trouble::OldSecretsUnchanged, LONG, false);
    assert!(told.starts_with(&format!("{BUILT}, rk1-04 secrets, rk1-03 secrets, rk1-03 arm")), "{told}");
    assert_eq!(results, "rk1-04 unchanged: this system runs already\nrk1-03 deployed");

    let (told, results) = deploy("rk1-04", Trouble::SecretsFail, LONG, true);
    assert_eq!(told, format!("{BUILT}, rk1-04 secrets"));
    assert_eq!(results, stopped("untouched; `rk1-secrets` ended with status 1"));
}

#[test]
fn a_node_that_runs_the_system_already_is_left_alone() {
    let (told, results) = deploy("rk1-04", Trouble::Unchanged, LONG, true);
    assert!(told.starts_with(&format!("{BUILT}, rk1-03 cordon")), "{told}");
    assert_eq!(results, "rk1-04 unchanged: this system runs already\nrk1-03 deployed");
}

#[test]
fn a_failure_before_the_switch_leaves_the_node_untouched() {
    let failed = |what: &str| format!("untouched; `{what}` ended with status 1");
    for (trouble, steps, result) in [
        (
            Trouble::Unhealthy,
            "",
            "untouched; checks failed before the deploy\n  rk1-04, k3s: it has failed; look at `journalctl`"
                .to_owned(),
        ),
        (Trouble::Unanswered, "", failed("ssh")),
        (
            Trouble::Armed,
            "",
            "untouched; the guard is armed already: it rolls the node back in 70 s unless that is confirmed"
                .to_owned(),
        ),
        (Trouble::BuildFails, "rk1-04 build", failed("nixos-rebuild")),
        (
            Trouble::DrainFails,
            "rk1-04 build, rk1-03 build, rk1-04 cordon, rk1-04 drain, rk1-04 uncordon",
            failed("drain"),
        ),
        (Trouble::Cancelled { at: "build" }, "rk1-04 build", "untouched; cancelled".to_owned()),
    ] {
        assert_eq!(
            deploy("rk1-04", trouble, LONG, true),
            (steps.to_owned(), stopped(&result)),
            "{trouble:?}"
        );
    }
}

#[test]
fn a_server_that_etcd_needs_for_its_quorum_is_left_untouched() {
    let (told, results) = deploy("rk1-02", Trouble::Etcd("rk1-01"), LONG, false);
    assert_eq!(told, "");
    assert_eq!(
        results,
        "rk1-02 untouched; etcd would lose its quorum: 2 of 3 members are needed, and without this one only 1 would be \
         ready (rk1-01: `etcd` ended with status 1)\nrk1-03 not started"
    );
    // An agent is not a member of etcd.
    let (_, results) = deploy("rk1-04", Trouble::Etcd("rk1-01"), LONG, false);
    assert!(results.starts_with("rk1-04 not started\nrk1-03 untouched; etcd would lose"), "{results}");
    // A server must pass its own check of etcd after the switch.
    let options = Options {
        drains: false,
        drain: Drain { limit: LONG, delete_empty_dirs: false },
        reboot: Reboot::Ask,
        limit: NONE,
        reboot_limit: NONE,
        anyway: false,
        at_once: NonZeroUsize::MIN,
    };
    let world = World::new("rk1-02", Trouble::Etcd("rk1-02"));
    let (told, results) = deploy_nodes(CLUSTER, &["rk1-02"], world, options);
    assert_eq!(told, "rk1-02 build, rk1-02 arm, rk1-02 switch, rk1-02 revert");
    assert!(results.contains("rk1-02, etcd: `etcd` ended with status 1"), "{results}");
}

#[test]
fn a_failure_after_the_switch_rolls_the_node_back() {
    let before = "rolled back to the previous system";
    let by_itself = "rolled back to the previous system by its guard";
    for (trouble, limit, steps, why) in [
        (Trouble::SwitchFails, LONG, "arm, switch, revert", "`nixos-rebuild` ended with status 1"),
        (
            Trouble::SessionLost,
            NONE,
            "arm, switch, revert",
            "checks that passed before still fail after 0 s\n  rk1-04, rk1-04: it is down; look at `journalctl`",
        ),
        (
            Trouble::Silent { questions: 4 },
            LONG,
            "arm, switch, does not receive: revert",
            "checks that passed before still fail after 3600 s: the node does not answer",
        ),
        (Trouble::ConfirmLost, LONG, "arm, switch, confirm, revert", "`ssh` ended with status 1"),
        (Trouble::Cancelled { at: "switch" }, LONG, "arm, switch, revert", "cancelled"),
    ] {
        let (told, results) = deploy("rk1-04", trouble, limit, false);
        let steps: Vec<_> = steps.split(", ").map(|step| format!("rk1-04 {step}")).collect();
        if !matches!(trouble, Trouble::Silent { .. }) {
            assert_eq!(told, format!("{BUILT}, {}", steps.join(", ")), "{trouble:?}");
        }
        let before = if matches!(trouble, Trouble::Silent { .. }) { by_itself } else { before };
        assert_eq!(results, stopped(&format!("{before}; {why}")), "{trouble:?}");
    }
}

#[test]
fn a_node_that_never_answers_again_is_lost() {
    let (told, results) = deploy("rk1-04", Trouble::Silent { questions: usize::MAX }, NONE, false);
    assert_eq!(told, format!("{BUILT}, rk1-04 arm, rk1-04 switch, rk1-04 does not receive: revert"));
    assert_eq!(
        results,
        stopped(
            "lost: the node does not answer; checks that passed before still fail after 0 s: the node does not answer"
        )
    );
}

#[test]
fn a_lost_arm_order_leaves_the_node_untouched() {
    let (told, results) = deploy("rk1-04", Trouble::ArmFails, LONG, false);
    assert_eq!(told, format!("{BUILT}, rk1-04 arm, rk1-04 revert"));
    assert_eq!(results, stopped("untouched; `ssh` ended with status 1"));
}

#[test]
fn a_confirmation_whose_answer_was_lost_counts() {
    assert_eq!(deploy("rk1-04", Trouble::ConfirmAnswerLost, LONG, false).1, DEPLOYED);
}

#[test]
fn a_node_that_stays_cordoned_ends_the_deploy() {
    let (_, results) = deploy("rk1-04", Trouble::UncordonFails, LONG, true);
    assert_eq!(results, stopped("deployed; `uncordon` ended with status 1"));
}

#[test]
fn a_node_reboots_where_the_user_wants_it() {
    let plain = |node: &str| ["arm", "switch", "confirm"].map(|step| format!("{node} {step}")).join(", ");
    let booted = |node: &str, arm: &str| {
        let steps = ["cordon", "drain", arm, "install", "reboot", "confirm", "uncordon"];
        steps.map(|step| format!("{node} {step}")).join(", ")
    };
    let asked = "rk1-04 build, rk1-04 asked about the kernel, rk1-03 build";
    for (trouble, reboot, steps) in [
        (
            Trouble::Nothing,
            Reboot::Always,
            format!("{BUILT}, {}, {}", booted("rk1-04", "arm"), booted("rk1-03", "arm")),
        ),
        (
            Trouble::NewKernel { agrees: true },
            Reboot::Ask,
            format!("{asked}, {}, {}", booted("rk1-04", "arm"), plain("rk1-03")),
        ),
        (
            Trouble::NewKernel { agrees: false },
            Reboot::Ask,
            format!("{asked}, {}, {}", plain("rk1-04"), plain("rk1-03")),
        ),
        (
            Trouble::KernelWaits,
            Reboot::Always,
            format!("{BUILT}, {}, {}", booted("rk1-04", "arm booted"), booted("rk1-03", "arm")),
        ),
        (
            Trouble::Inhibited,
            Reboot::Always,
            format!("{BUILT}, {}, {}", booted("rk1-04", "arm"), booted("rk1-03", "arm")),
        ),
    ] {
        let (told, results) = deploy_with("rk1-04", trouble, LONG, false, reboot);
        assert_eq!((told, results.as_str()), (steps, DEPLOYED), "{trouble:?}");
    }
}

#[test]
fn what_needs_a_reboot_is_not_switched() {
    let (told, results) = deploy("rk1-04", Trouble::Inhibited, LONG, true);
    assert_eq!(told, "rk1-04 build, rk1-04 asked about `dbus-implementation`");
    assert_eq!(
        results,
        stopped(
            "untouched; NixOS refuses to switch to the new system, because it differs in `dbus-implementation`"
        )
    );
    // Nobody asked for a reboot, and the new system runs.
    let (told, results) = deploy("rk1-04", Trouble::KernelWaits, LONG, false);
    assert!(told.starts_with("rk1-04 build, rk1-04 asked about the kernel, rk1-03 build"), "{told}");
    assert_eq!(results, "rk1-04 unchanged: this system runs already\nrk1-03 deployed");
}

#[test]
fn a_reboot_that_brings_the_previous_system_back_is_reported() {
    let (told, results) = deploy_with("rk1-04", Trouble::RebootFails, LONG, false, Reboot::Always);
    assert!(told.ends_with("rk1-04 install, rk1-04 reboot, rk1-04 revert, rk1-04 uncordon"), "{told}");
    assert_eq!(
        results,
        stopped(
            "rolled back to the previous system by its guard; the new system did not become healthy: the \
             node has booted the previous one"
        )
    );
}
