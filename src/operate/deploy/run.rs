//! Goes through a plan: prepares every node, then switches one group of nodes after the other, until one fails.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde::Serialize;

use super::actions::{ActionError, Actions};
use super::command::Rebuild;
use super::guard::{GuardState, GuardStatus, Order, Previous};
use super::health::{self, Baseline, FailedCheck};
use super::plan::{Plan, Step};
use super::quorum;
use super::reboot::{Reboot, RebootReasons};
use super::report::{Failure, NodeResult, Results};
use super::secrets::Replaced;
use crate::config::cluster::Node;
use crate::config::written::Role;
use crate::operate::status::Observation;

/// A step of the deploy, reported when it happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", content = "of", rename_all = "kebab-case")]
pub enum Event {
    Begun(Step),
    /// A check could not be made before the switch, so it is not required after it.
    Unknown(FailedCheck),
    /// These secrets of the node differed, and were replaced.
    Replaced(Vec<String>),
    /// The node's system has no program that replaces secrets.
    NoSecretsProgram,
    /// A check failed before the switch, and the deploy continues anyway.
    FailedCheck(FailedCheck),
    /// The node is switched, and these parts of the new system wait for a reboot.
    WaitsForReboot(RebootReasons),
    /// These checks do not pass yet. Empty while the node does not answer.
    Waiting(Vec<FailedCheck>),
    /// The node is told to roll back.
    RollingBack,
    /// The node does not answer: its guard rolls back when its time is up.
    LeftToGuard,
}

/// The time between two looks at a node.
const PAUSE: Duration = Duration::from_secs(2);

/// Deploys every node of the plan. No node is touched before all are checked and their systems are built; then the first
/// failure ends the deploy.
pub(crate) async fn run<A: Actions>(plan: &Plan<'_>, actions: &A, tell: &dyn Fn(&Node, &Event)) -> Results {
    let mut results: Vec<_> =
        plan.nodes.iter().map(|node| (node.name.clone(), NodeResult::NotStarted)).collect();
    let mut keep = |node: &Node, result: NodeResult| {
        let is_failure = result.failure().is_some();
        if let Some((_, kept)) = results.iter_mut().find(|(name, _)| *name == node.name) {
            *kept = result;
        }
        is_failure
    };
    let mut prepared = Vec::new();
    for node in &plan.nodes {
        let mut deploy =
            Deploy { plan, actions, node, tell, failed: Vec::new(), is_armed: false, is_cordoned: false };
        match deploy.prepare().await {
            Ok(built) if built.is_in_use() && !plan.secrets.contains_key(&node.name) => {
                keep(node, NodeResult::Unchanged);
            }
            Ok(built) => prepared.push((deploy, built)),
            Err(why) => {
                keep(node, NodeResult::Untouched { why: deploy.cause(why) });
                return Results(results);
            }
        }
    }
    // Nodes of which only secrets change come first: none of them shows whether the new system works.
    let (unchanged, mut prepared): (Vec<_>, Vec<_>) =
        prepared.into_iter().partition(|(_, built)| built.is_in_use());
    for (mut deploy, built) in unchanged {
        let result = deploy.run(built).await;
        if keep(deploy.node, result) {
            return Results(results);
        }
    }
    let nodes: Vec<_> = prepared.iter().map(|(deploy, _)| deploy.node).collect();
    let is_upgrade = prepared.iter().any(|(_, built)| built.raises_kubernetes);
    for group in if is_upgrade { plan.groups_of_an_upgrade(&nodes) } else { plan.groups(&nodes) } {
        let is_now =
            |(deploy, _): &(Deploy<'_, A>, Built)| group.iter().any(|node| node.name == deploy.node.name);
        let (now, later): (Vec<_>, Vec<_>) = prepared.into_iter().partition(is_now);
        prepared = later;
        let ended = join_all(now.into_iter().map(async |(mut deploy, built)| {
            let result = deploy.run(built).await;
            (deploy.node, result)
        }));
        let mut is_over = false;
        for (node, result) in ended.await {
            is_over |= keep(node, result);
        }
        if is_over {
            break;
        }
    }
    Results(results)
}

/// The deploy of one node.
struct Deploy<'a, A> {
    plan: &'a Plan<'a>,
    actions: &'a A,
    node: &'a Node,
    tell: &'a dyn Fn(&Node, &Event),
    /// Checks that failed, and are reported.
    failed: Vec<FailedCheck>,
    is_armed: bool,
    /// Whether this deploy cordoned the node. One that was cordoned before stays so.
    is_cordoned: bool,
}

/// The system that a node is to run.
struct Built {
    /// Its store path. Older versions of `nixos-rebuild` do not print it.
    path: Option<String>,
    /// Whether another system runs.
    is_new: bool,
    /// Whether the node boots it, instead of switching to it.
    reboots: bool,
    /// Whether it has a newer minor release of Kubernetes.
    raises_kubernetes: bool,
}

impl Built {
    /// Whether there is nothing to switch to.
    fn is_in_use(&self) -> bool {
        !self.is_new && !self.reboots
    }
}

/// The node before anything changes.
struct Before {
    baseline: Baseline,
    /// Store path of the booted system, whose kernel runs. An older guard does not tell it.
    booted: Option<String>,
    built: Built,
}

/// A look at a node after the switch.
enum Seen {
    Healthy,
    Missing(Vec<FailedCheck>),
    /// The node does not answer.
    Silent,
    RolledBack,
}

impl<A: Actions> Deploy<'_, A> {
    /// Switches the node to its new system.
    async fn run(&mut self, built: Built) -> NodeResult {
        if built.is_in_use() {
            return match self.replace_secrets().await {
                Ok(()) => NodeResult::Unchanged,
                Err(why) => NodeResult::Untouched { why: self.cause(why) },
            };
        }
        let before = match self.approach(built).await {
            Ok(before) => before,
            Err(why) => {
                let why = self.cause(why);
                let _ = self.uncordon().await;
                return NodeResult::Untouched { why };
            }
        };
        // The time of the guard begins a little later, when it is armed.
        let begun = Instant::now();
        match self.switch(&before, begun).await {
            Ok(()) => NodeResult::Deployed { but: self.uncordon().await.err().map(Failure::Action) },
            Err(why) => {
                let why = self.cause(why);
                let limit = self.plan.limit(before.built.reboots);
                let result = self.roll_back(why, begun, limit).await;
                let _ = self.uncordon().await;
                result
            }
        }
    }

    fn tell(&self, event: &Event) {
        (self.tell)(self.node, event);
    }

    /// A terminal interrupts child processes too: their failure is then not the cause.
    fn cause(&self, why: Failure) -> Failure {
        if self.actions.is_cancelled() { ActionError::Cancelled.into() } else { why }
    }

    fn begin(&mut self, step: Step) -> Result<(), ActionError> {
        if self.actions.is_cancelled() {
            return Err(ActionError::Cancelled);
        }
        self.tell(&Event::Begun(step));
        Ok(())
    }

    /// Checks the node and builds its system. That leaves the node as it is.
    async fn prepare(&mut self) -> Result<Built, Failure> {
        self.begin(Step::Check)?;
        let (_, answer) = self.check().await?;
        let raises_kubernetes = self.check_step().await?;
        self.begin(Step::Build)?;
        let path = self.actions.rebuild(self.node, Rebuild::DryActivate).await?;
        let is_new = path.as_ref() != Some(&answer.running);
        let reboots = self.decide(path.as_deref(), is_new).await?;
        Ok(Built { path, is_new, reboots, raises_kubernetes })
    }

    /// Checks the node again, because the builds may have taken an hour, and other nodes were switched. Then moves its pods.
    async fn approach(&mut self, built: Built) -> Result<Before, Failure> {
        self.begin(Step::Recheck)?;
        let (observation, GuardStatus { booted, .. }) = self.check().await?;
        self.replace_secrets().await?;
        let options = &self.plan.options;
        if options.drains || built.reboots {
            self.begin(Step::Drain)?;
            self.is_cordoned = self.actions.cordon(self.node).await?;
            self.actions.drain(self.node, options.drain).await?;
        }
        Ok(Before { baseline: Baseline::of(&observation), booted, built })
    }

    /// Requires that a supported step leads from what runs to what is wanted. Returns whether it raises Kubernetes. Nobody knows
    /// what runs in a cluster that does not answer, and such a cluster is deployed to on request only.
    async fn check_step(&self) -> Result<bool, Failure> {
        let running = match self.actions.running(self.node).await {
            Err(_) if self.plan.options.anyway => return Ok(false),
            running => running?,
        };
        match self.plan.versions.unsupported_step(&running) {
            Some(step) => Err(Failure::UnsupportedStep(step)),
            None => Ok(self.plan.versions.raise_kubernetes(&running)),
        }
    }

    /// Requires that the node is healthy, that its guard is free, and that etcd works without the node.
    async fn check(&mut self) -> Result<(Observation, GuardStatus), Failure> {
        let observation = self.actions.observe(self.node).await?;
        let wrong = health::failed(&observation);
        if !wrong.is_empty() && !self.plan.options.anyway {
            return Err(Failure::FailedChecks(wrong));
        }
        let wrong = wrong.into_iter().map(|check| (check.clone(), Event::FailedCheck(check)));
        let unknown =
            health::unknown(&observation).into_iter().map(|check| (check.clone(), Event::Unknown(check)));
        for (check, event) in wrong.chain(unknown).collect::<Vec<_>>() {
            if !self.failed.contains(&check) {
                self.tell(&event);
                self.failed.push(check);
            }
        }
        let answer = self.actions.guard_state(self.node).await?;
        match answer.state {
            GuardState::Armed { left } => return Err(Failure::Armed { left }),
            GuardState::Reverting => return Err(Failure::Reverting),
            GuardState::Idle | GuardState::Confirmed | GuardState::Reverted => {}
        }
        self.check_quorum().await?;
        Ok((observation, answer))
    }

    /// Replaces secrets before the switch, because the new system may need them. They stay if it is rolled back.
    async fn replace_secrets(&mut self) -> Result<(), Failure> {
        if !self.plan.secrets.contains_key(&self.node.name) {
            return Ok(());
        }
        self.begin(Step::Secrets)?;
        match self.actions.replace_secrets(self.node).await? {
            Replaced::Names(names) if names.is_empty() => {}
            Replaced::Names(names) => self.tell(&Event::Replaced(names)),
            Replaced::NoProgram => self.tell(&Event::NoSecretsProgram),
        }
        Ok(())
    }

    /// Decides whether the node reboots into the new system. Fails where a switch is impossible.
    async fn decide(&self, built: Option<&str>, is_new: bool) -> Result<bool, Failure> {
        let reasons = match built {
            Some(built) => self.actions.needs_reboot(self.node, built).await?,
            None => RebootReasons::default(),
        };
        let reboots = match self.plan.options.reboot {
            Reboot::Always => is_new || !reasons.is_empty(),
            Reboot::Ask => !reasons.is_empty() && self.actions.may_reboot(self.node, &reasons).await,
        };
        if !reboots {
            let inhibitors = reasons.inhibitors();
            if !inhibitors.is_empty() && is_new {
                return Err(Failure::NeedsReboot(inhibitors));
            }
            if !reasons.is_empty() {
                self.tell(&Event::WaitsForReboot(reasons));
            }
        }
        Ok(reboots)
    }

    async fn check_quorum(&self) -> Result<(), Failure> {
        if self.node.role == Role::Agent {
            return Ok(());
        }
        let mut others = Vec::new();
        for server in self.plan.other_servers(self.node) {
            let state = self.actions.etcd(server).await.map_err(|error| error.to_string());
            others.push((server.name.as_str().to_owned(), state));
        }
        Ok(quorum::check(&others)?)
    }

    async fn switch(&mut self, before: &Before, begun: Instant) -> Result<(), Failure> {
        self.begin(Step::Arm)?;
        // Where the new system runs already, only its kernel is new: the system of the last boot has the previous one.
        let previous = if before.built.is_new { Previous::Running } else { Previous::Booted };
        let limit = self.plan.limit(before.built.reboots);
        self.actions.guard(self.node, Order::Arm(limit, previous)).await?;
        self.is_armed = true;
        if before.built.reboots {
            self.begin(Step::Install)?;
            self.actions.rebuild(self.node, Rebuild::Boot).await?;
            self.begin(Step::Reboot)?;
            self.actions.guard(self.node, Order::Reboot).await?;
        } else {
            self.begin(Step::Switch)?;
            self.actions.rebuild(self.node, Rebuild::Switch).await?;
        }
        self.begin(Step::Verify)?;
        self.verify(before, begun).await?;
        self.begin(Step::Confirm)?;
        self.confirm().await
    }

    /// Waits until every check that passed before passes again. Stops early enough to confirm before the guard rolls back.
    async fn verify(&mut self, before: &Before, begun: Instant) -> Result<(), Failure> {
        let limit = self.plan.limit(before.built.reboots);
        let mut told = None;
        loop {
            let is_late = begun.elapsed() > limit * 9 / 10;
            let missing = match self.look(before).await? {
                Seen::Healthy => return Ok(()),
                Seen::RolledBack if before.built.reboots => return Err(Failure::NotBooted),
                Seen::RolledBack => {
                    return Err(Failure::NotHealthy { limit, missing: told.unwrap_or_default() });
                }
                Seen::Missing(missing) => missing,
                Seen::Silent => Vec::new(),
            };
            if is_late {
                return Err(Failure::NotHealthy { limit, missing });
            }
            if told.as_ref() != Some(&missing) {
                self.tell(&Event::Waiting(missing.clone()));
                told = Some(missing);
            }
            if self.actions.is_cancelled() {
                return Err(ActionError::Cancelled.into());
            }
            self.actions.pause(PAUSE.min(limit / 20)).await;
        }
    }

    async fn look(&self, before: &Before) -> Result<Seen, ActionError> {
        let Ok(answer) = self.actions.guard_state(self.node).await else { return Ok(Seen::Silent) };
        if matches!(answer.state, GuardState::Reverting | GuardState::Reverted) {
            return Ok(Seen::RolledBack);
        }
        let mut missing = before.baseline.missing(&self.actions.observe(self.node).await?);
        let failed = |question: &str, what: String| FailedCheck {
            subject: self.node.name.as_str().to_owned(),
            question: question.to_owned(),
            what,
            look_at: None,
        };
        if let Some(built) = before.built.path.as_ref().filter(|built| **built != answer.running) {
            missing.push(failed("system", format!("{} runs, not {built}", answer.running)));
        }
        if before.built.reboots && !has_rebooted(before, &answer) {
            missing.push(failed("boot", "the node has not booted the new system yet".to_owned()));
        }
        if self.node.role == Role::Server
            && let Err(error) = self.actions.etcd(self.node).await
        {
            missing.push(failed("etcd", error.to_string()));
        }
        Ok(if missing.is_empty() { Seen::Healthy } else { Seen::Missing(missing) })
    }

    /// Confirms. The order or its answer may be lost on the way, so the guard is asked afterwards.
    async fn confirm(&self) -> Result<(), Failure> {
        let Err(error) = self.actions.guard(self.node, Order::Confirm).await else { return Ok(()) };
        match self.actions.guard_state(self.node).await?.state {
            GuardState::Confirmed => Ok(()),
            GuardState::Reverting | GuardState::Reverted => Err(Failure::GuardWasFaster),
            GuardState::Idle | GuardState::Armed { .. } => Err(error.into()),
        }
    }

    /// Rolls the node back and waits until that is done. If the node cannot be told, its guard does it.
    async fn roll_back(&mut self, why: Failure, begun: Instant, limit: Duration) -> NodeResult {
        self.tell(&Event::RollingBack);
        // Twice the time of the guard: the previous system has to be activated, perhaps after a reboot.
        let patience = limit * 2;
        let (mut is_told, mut is_left) = (false, false);
        loop {
            is_told = is_told || self.actions.guard(self.node, Order::Revert).await.is_ok();
            if let Ok(answer) = self.actions.guard_state(self.node).await {
                match answer.state {
                    GuardState::Armed { .. } | GuardState::Reverting => {}
                    // This state is older than the deploy: the order to arm did not arrive.
                    _ if !self.is_armed => return NodeResult::Untouched { why },
                    GuardState::Idle | GuardState::Reverted => {
                        return NodeResult::RolledBack { why, by_itself: !is_told };
                    }
                    // The confirmation had arrived, but its answer was lost.
                    GuardState::Confirmed => return NodeResult::Deployed { but: Some(why) },
                }
            }
            if begun.elapsed() > patience {
                return NodeResult::Lost { why };
            }
            if !is_told && !is_left {
                self.tell(&Event::LeftToGuard);
                is_left = true;
            }
            self.actions.pause(PAUSE.min(limit / 20)).await;
        }
    }

    async fn uncordon(&mut self) -> Result<(), ActionError> {
        if self.is_cordoned {
            self.tell(&Event::Begun(Step::Uncordon));
            self.actions.uncordon(self.node).await?;
            self.is_cordoned = false;
        }
        Ok(())
    }
}

/// Whether the node has booted the new system since.
fn has_rebooted(before: &Before, now: &GuardStatus) -> bool {
    match &before.built.path {
        Some(built) => now.booted.as_ref() == Some(built),
        None => now.booted != before.booted,
    }
}
