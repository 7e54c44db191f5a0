//! Goes through a plan: one node after the other, until one fails.

use std::time::{Duration, Instant};

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

/// Deploys every node of the plan, and stops at the first failure.
pub(crate) async fn run<A: Actions>(
    plan: &Plan<'_>,
    actions: &A,
    tell: &mut dyn FnMut(&Node, &Event),
) -> Results {
    let mut results = Vec::new();
    let mut is_over = false;
    for node in &plan.nodes {
        let result = if is_over {
            NodeResult::NotStarted
        } else {
            Deploy { plan, actions, node, tell: &mut *tell, is_armed: false, is_cordoned: false }.run().await
        };
        is_over |= result.failure().is_some();
        results.push((node.name.clone(), result));
    }
    Results(results)
}

/// The deploy of one node.
struct Deploy<'a, A> {
    plan: &'a Plan<'a>,
    actions: &'a A,
    node: &'a Node,
    tell: &'a mut dyn FnMut(&Node, &Event),
    is_armed: bool,
    /// Whether this deploy cordoned the node. One that was cordoned before stays so.
    is_cordoned: bool,
}

/// The node before anything changes.
struct Before {
    baseline: Baseline,
    /// Store path of the running system.
    running: String,
    /// Store path of the booted system, whose kernel runs. An older guard does not tell it.
    booted: Option<String>,
    /// Store path of the new system. Older versions of `nixos-rebuild` do not print it.
    built: Option<String>,
    /// Whether the node boots the new system, instead of switching to it.
    reboots: bool,
}

impl Before {
    fn runs_built(&self) -> bool {
        self.built.as_ref() == Some(&self.running)
    }
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
    async fn run(&mut self) -> NodeResult {
        let before = match self.prepare().await {
            Ok(before) if before.runs_built() && !before.reboots => return NodeResult::Unchanged,
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
                let limit = self.plan.limit(before.reboots);
                let result = self.roll_back(why, begun, limit).await;
                let _ = self.uncordon().await;
                result
            }
        }
    }

    /// A terminal interrupts child processes too: their failure is then not the cause.
    fn cause(&self, why: Failure) -> Failure {
        if self.actions.is_cancelled() { ActionError::Cancelled.into() } else { why }
    }

    fn begin(&mut self, step: Step) -> Result<(), ActionError> {
        if self.actions.is_cancelled() {
            return Err(ActionError::Cancelled);
        }
        (self.tell)(self.node, &Event::Begun(step));
        Ok(())
    }

    /// Does everything that leaves the node's system as it is.
    async fn prepare(&mut self) -> Result<Before, Failure> {
        self.begin(Step::Check)?;
        let observation = self.actions.observe(self.node).await?;
        let wrong = health::failed(&observation);
        if !wrong.is_empty() && !self.plan.options.anyway {
            return Err(Failure::FailedChecks(wrong));
        }
        let unknown = health::unknown(&observation).into_iter().map(Event::Unknown);
        for event in wrong.into_iter().map(Event::FailedCheck).chain(unknown) {
            (self.tell)(self.node, &event);
        }
        let answer = self.actions.guard_state(self.node).await?;
        match answer.state {
            GuardState::Armed { left } => return Err(Failure::Armed { left }),
            GuardState::Reverting => return Err(Failure::Reverting),
            GuardState::Idle | GuardState::Confirmed | GuardState::Reverted => {}
        }
        self.check_quorum().await?;

        self.begin(Step::Build)?;
        let built = self.actions.rebuild(self.node, Rebuild::DryActivate).await?;
        self.replace_secrets().await?;
        let GuardStatus { running, booted, .. } = answer;
        let mut before =
            Before { baseline: Baseline::of(&observation), running, booted, built, reboots: false };
        before.reboots = self.decide(&before).await?;
        if before.runs_built() && !before.reboots {
            return Ok(before);
        }
        if self.node.role == Role::Server {
            // Again, because a build may take an hour.
            self.begin(Step::Quorum)?;
            self.check_quorum().await?;
        }
        let options = &self.plan.options;
        if options.drains || before.reboots {
            self.begin(Step::Drain)?;
            self.is_cordoned = self.actions.cordon(self.node).await?;
            self.actions.drain(self.node, options.drain).await?;
        }
        Ok(before)
    }

    /// Replaces secrets before the switch, because the new system may need them. They stay if it is rolled back.
    async fn replace_secrets(&mut self) -> Result<(), Failure> {
        if !self.plan.secrets.contains_key(&self.node.name) {
            return Ok(());
        }
        self.begin(Step::Secrets)?;
        match self.actions.replace_secrets(self.node).await? {
            Replaced::Names(names) if names.is_empty() => {}
            Replaced::Names(names) => (self.tell)(self.node, &Event::Replaced(names)),
            Replaced::NoProgram => (self.tell)(self.node, &Event::NoSecretsProgram),
        }
        Ok(())
    }

    /// Decides whether the node reboots into the new system. Fails where a switch is impossible.
    async fn decide(&mut self, before: &Before) -> Result<bool, Failure> {
        let reasons = match &before.built {
            Some(built) => self.actions.needs_reboot(self.node, built).await?,
            None => RebootReasons::default(),
        };
        let reboots = match self.plan.options.reboot {
            // Nothing is new.
            Reboot::Always => !(before.runs_built() && reasons.is_empty()),
            Reboot::Ask => !reasons.is_empty() && self.actions.may_reboot(self.node, &reasons).await,
        };
        if !reboots {
            let inhibitors = reasons.inhibitors();
            if !inhibitors.is_empty() && !before.runs_built() {
                return Err(Failure::NeedsReboot(inhibitors));
            }
            if !reasons.is_empty() {
                (self.tell)(self.node, &Event::WaitsForReboot(reasons));
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
        let previous = if before.runs_built() { Previous::Booted } else { Previous::Running };
        let limit = self.plan.limit(before.reboots);
        self.actions.guard(self.node, Order::Arm(limit, previous)).await?;
        self.is_armed = true;
        if before.reboots {
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
        let limit = self.plan.limit(before.reboots);
        let mut told = None;
        loop {
            let is_late = begun.elapsed() > limit * 9 / 10;
            let missing = match self.look(before).await? {
                Seen::Healthy => return Ok(()),
                Seen::RolledBack if before.reboots => return Err(Failure::NotBooted),
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
                (self.tell)(self.node, &Event::Waiting(missing.clone()));
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
        if let Some(built) = before.built.as_ref().filter(|built| **built != answer.running) {
            missing.push(failed("system", format!("{} runs, not {built}", answer.running)));
        }
        if before.reboots && !has_rebooted(before, &answer) {
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
        (self.tell)(self.node, &Event::RollingBack);
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
                (self.tell)(self.node, &Event::LeftToGuard);
                is_left = true;
            }
            self.actions.pause(PAUSE.min(limit / 20)).await;
        }
    }

    async fn uncordon(&mut self) -> Result<(), ActionError> {
        if self.is_cordoned {
            (self.tell)(self.node, &Event::Begun(Step::Uncordon));
            self.actions.uncordon(self.node).await?;
            self.is_cordoned = false;
        }
        Ok(())
    }
}

/// Whether the node has booted the new system since.
fn has_rebooted(before: &Before, now: &GuardStatus) -> bool {
    match &before.built {
        Some(built) => now.booted.as_ref() == Some(built),
        None => now.booted != before.booted,
    }
}
