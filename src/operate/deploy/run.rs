//! The way through a plan: one node after the other, up to the first that fails.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::actions::{ActionError, Actions};
use super::command::Rebuild;
use super::guard::{Order, State};
use super::health::{self, Baseline, FailedCheck};
use super::plan::{Plan, Step};
use super::quorum;
use super::report::{Failure, Fate, Report};
use crate::config::cluster::Node;
use crate::config::written::Role;

/// What happens, as it happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", content = "of", rename_all = "kebab-case")]
pub enum Event {
    Begun(Step),
    /// The check could not find this out: it will not be asked for after the switch either.
    Unknown(FailedCheck),
    /// The check found this wrong, and the deploy goes on all the same.
    Unwell(FailedCheck),
    /// The verification goes on because of this; empty while the node does not answer.
    Waiting(Vec<FailedCheck>),
    /// The node is told to go back.
    GoingBack,
    /// It did not hear: its guard takes it back when its time is up.
    LeftToItsGuard,
}

/// Between two looks at a node.
const PAUSE: Duration = Duration::from_secs(2);

/// Deploys every node of the plan, and stops at the first failure.
pub(crate) async fn run<A: Actions>(
    plan: &Plan<'_>,
    actions: &A,
    tell: &mut dyn FnMut(&Node, &Event),
) -> Report {
    let mut fates = Vec::new();
    let mut is_over = false;
    for node in &plan.nodes {
        let fate = if is_over {
            Fate::NotBegun
        } else {
            Deploy { plan, actions, node, tell: &mut *tell, is_armed: false, is_cordoned: false }.run().await
        };
        is_over |= fate.failure().is_some();
        fates.push((node.name.clone(), fate));
    }
    Report(fates)
}

/// One node's.
struct Deploy<'a, A> {
    plan: &'a Plan<'a>,
    actions: &'a A,
    node: &'a Node,
    tell: &'a mut dyn FnMut(&Node, &Event),
    is_armed: bool,
    /// By us: a node that was cordoned before stays so.
    is_cordoned: bool,
}

/// What is known before anything changes.
struct Before {
    baseline: Baseline,
    /// Store path of the running system.
    running: String,
    /// That of the one to come. Older `nixos-rebuild` do not say it.
    built: Option<String>,
}

/// A look at a node after the switch.
enum Seen {
    AsBefore,
    Missing(Vec<FailedCheck>),
    /// It does not answer.
    Nothing,
    /// Its guard was faster.
    GoneBack,
}

impl<A: Actions> Deploy<'_, A> {
    async fn run(&mut self) -> Fate {
        let before = match self.prepare().await {
            Ok(before) if before.built.as_ref() == Some(&before.running) => return Fate::Unchanged,
            Ok(before) => before,
            Err(why) => {
                let why = self.cause(why);
                let _ = self.uncordon().await;
                return Fate::Untouched { why };
            }
        };
        // The guard's time begins when it is armed, which is after this.
        let begun = Instant::now();
        match self.switch(&before, begun).await {
            Ok(()) => Fate::Deployed { but: self.uncordon().await.err().map(Failure::Action) },
            Err(why) => {
                let why = self.cause(why);
                let fate = self.take_back(why, begun).await;
                let _ = self.uncordon().await;
                fate
            }
        }
    }

    /// A terminal interrupts what runs under us as well: that it then failed is not the cause.
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

    /// Everything that leaves the node's system as it is.
    async fn prepare(&mut self) -> Result<Before, Failure> {
        self.begin(Step::Check)?;
        let observation = self.actions.observe(self.node).await?;
        let wrong = health::failed(&observation);
        if !wrong.is_empty() && !self.plan.options.anyway {
            return Err(Failure::Unwell(wrong));
        }
        let unknown = health::unknown(&observation).into_iter().map(Event::Unknown);
        for event in wrong.into_iter().map(Event::Unwell).chain(unknown) {
            (self.tell)(self.node, &event);
        }
        let answer = self.actions.guard_state(self.node).await?;
        match answer.state {
            State::Armed { left } => return Err(Failure::Armed { left }),
            State::Reverting => return Err(Failure::Reverting),
            State::Idle | State::Confirmed | State::Reverted => {}
        }
        self.check_quorum().await?;

        self.begin(Step::Build)?;
        let built = self.actions.rebuild(self.node, Rebuild::DryActivate).await?;
        let before = Before { baseline: Baseline::of(&observation), running: answer.running, built };
        if before.built.as_ref() == Some(&before.running) {
            return Ok(before);
        }
        if self.node.role == Role::Server {
            // Anew: a build may take an hour.
            self.begin(Step::Quorum)?;
            self.check_quorum().await?;
        }
        if let Some(drain) = self.plan.options.drain {
            self.begin(Step::Drain)?;
            self.is_cordoned = self.actions.cordon(self.node).await?;
            self.actions.drain(self.node, drain).await?;
        }
        Ok(before)
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
        self.actions.guard(self.node, Order::Arm(self.plan.options.limit)).await?;
        self.is_armed = true;
        self.begin(Step::Switch)?;
        self.actions.rebuild(self.node, Rebuild::Switch).await?;
        self.begin(Step::Verify)?;
        self.verify(before, begun).await?;
        self.begin(Step::Confirm)?;
        self.confirm().await
    }

    /// Waits until all is as good as before; not until the last moment, or the guard would be faster than the word that
    /// it may rest.
    async fn verify(&mut self, before: &Before, begun: Instant) -> Result<(), Failure> {
        let limit = self.plan.options.limit;
        let mut told = None;
        loop {
            let is_late = begun.elapsed() > limit * 9 / 10;
            let missing = match self.look(before).await? {
                Seen::AsBefore => return Ok(()),
                Seen::GoneBack => {
                    return Err(Failure::NotAsBefore { limit, missing: told.unwrap_or_default() });
                }
                Seen::Missing(missing) => missing,
                Seen::Nothing => Vec::new(),
            };
            if is_late {
                return Err(Failure::NotAsBefore { limit, missing });
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
        let Ok(answer) = self.actions.guard_state(self.node).await else { return Ok(Seen::Nothing) };
        if matches!(answer.state, State::Reverting | State::Reverted) {
            return Ok(Seen::GoneBack);
        }
        let mut missing = before.baseline.missing(&self.actions.observe(self.node).await?);
        let failed = |question: &str, what: String| FailedCheck {
            subject: self.node.name.as_str().to_owned(),
            question: question.to_owned(),
            what,
            look_at: None,
        };
        if let Some(built) = before.built.as_ref().filter(|built| **built != answer.running) {
            missing.push(failed("system", format!("it runs {}, not {built}", answer.running)));
        }
        if self.node.role == Role::Server
            && let Err(error) = self.actions.etcd(self.node).await
        {
            missing.push(failed("etcd", error.to_string()));
        }
        Ok(if missing.is_empty() { Seen::AsBefore } else { Seen::Missing(missing) })
    }

    /// The word may be lost on its way, or its answer: the guard is asked what it knows.
    async fn confirm(&self) -> Result<(), Failure> {
        let Err(error) = self.actions.guard(self.node, Order::Confirm).await else { return Ok(()) };
        match self.actions.guard_state(self.node).await?.state {
            State::Confirmed => Ok(()),
            State::Reverting | State::Reverted => Err(Failure::TooLate),
            State::Idle | State::Armed { .. } => Err(error.into()),
        }
    }

    /// Has the node go back, and waits until it has: where it cannot be told, its guard does it when its time is up.
    async fn take_back(&mut self, why: Failure, begun: Instant) -> Fate {
        (self.tell)(self.node, &Event::GoingBack);
        let limit = self.plan.options.limit;
        // As long again as the guard waits: for the old system's activation, and for a reboot in between.
        let patience = limit * 2;
        let (mut is_told, mut is_left) = (false, false);
        loop {
            is_told = is_told || self.actions.guard(self.node, Order::Revert).await.is_ok();
            if let Ok(answer) = self.actions.guard_state(self.node).await {
                match answer.state {
                    State::Armed { .. } | State::Reverting => {}
                    // What it says is of an earlier time: the order to arm has not reached it.
                    _ if !self.is_armed => return Fate::Untouched { why },
                    State::Idle | State::Reverted => {
                        return Fate::Reverted { why, by_itself: !is_told };
                    }
                    // The word had arrived, but not the answer to it.
                    State::Confirmed => return Fate::Deployed { but: Some(why) },
                }
            }
            if begun.elapsed() > patience {
                return Fate::Lost { why };
            }
            if !is_told && !is_left {
                (self.tell)(self.node, &Event::LeftToItsGuard);
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
