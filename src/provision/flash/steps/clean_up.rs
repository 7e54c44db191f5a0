//! After a failure: no transfer of ours runs on, the node is off, and USB is wired as before.
//!
//! bmcd does this by itself where its worker fails while it writes. Where the module is not found it does not: the
//! node stays on, waiting for a flash (bmcd, `upgrade_worker.rs`: the `?` behind `node_in_flash`).

use std::time::Duration;

use super::{Answer, Ask, Next, Question, State, Steps, now};
use crate::provision::bmc::Transfer;
use crate::provision::flash::{Failure, Left};

/// A worker that was cancelled while it was looking for the module powers it on once more, a second or two later.
const CHECK: Duration = Duration::from_secs(3);
/// How often the node is switched off again before that is given up.
const TRIES: u8 = 5;

#[derive(Debug)]
pub(super) struct CleanUp {
    pub(super) failure: Failure,
    pub(super) step: Step,
    tries: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    LookAtTransfer,
    Cancel,
    PowerOff,
    RestoreUsb,
    CheckPower,
}

impl Steps {
    /// Begins to clean up after a failure.
    pub(super) fn fail(&mut self, at: Duration, failure: Failure) -> Next {
        self.moved = at;
        self.go(CleanUp { failure, step: Step::LookAtTransfer, tries: 0 }, now(Question::Transfer))
    }

    fn go(&mut self, clean_up: CleanUp, next: Next) -> Next {
        self.enter(State::CleaningUp(clean_up), next)
    }

    pub(super) fn clean_up(&mut self, at: Duration, clean_up: CleanUp, answer: Answer) -> Next {
        if matches!(&answer, Answer::Refused(error) if error.is_of_the_connection()) {
            return Next::End(Err(clean_up.failure), Left::Unknown);
        }
        self.moved = at;
        match (clean_up.step, answer) {
            (Step::LookAtTransfer, Answer::Transfer(Transfer::Running(running))) => {
                if self.is_ours(&running) {
                    self.handle = Some(running.id);
                    self.step(clean_up, Step::Cancel)
                } else {
                    Next::End(Err(clean_up.failure), Left::WithAnother)
                }
            }
            // Too late to stop it.
            (Step::LookAtTransfer, Answer::Transfer(Transfer::Done(done))) if self.is_this(done) => {
                Next::End(Err(clean_up.failure), Left::Written)
            }
            (Step::LookAtTransfer | Step::Cancel, _) => self.step(clean_up, Step::PowerOff),
            (Step::PowerOff, _) => self.step(clean_up, Step::RestoreUsb),
            (Step::RestoreUsb, _) => self.step(clean_up, Step::CheckPower),
            (Step::CheckPower, Answer::Power(power)) => match power.is_on(self.slot()) {
                Some(false) => {
                    let is_as_it_was = clean_up.failure.is_before_writing() || !self.has_sent;
                    let left = if is_as_it_was { Left::OffAsItWas } else { Left::OffInPart };
                    Next::End(Err(clean_up.failure), left)
                }
                Some(true) if clean_up.tries < TRIES => {
                    let tries = clean_up.tries + 1;
                    self.step(CleanUp { tries, ..clean_up }, Step::PowerOff)
                }
                Some(true) | None => Next::End(Err(clean_up.failure), Left::Unknown),
            },
            (Step::CheckPower, _) => Next::End(Err(clean_up.failure), Left::Unknown),
        }
    }

    fn step(&mut self, clean_up: CleanUp, step: Step) -> Next {
        let what = self.question(step);
        let after = if step == Step::CheckPower { CHECK } else { Duration::ZERO };
        self.go(CleanUp { step, ..clean_up }, Next::Ask(Ask { after, what }))
    }

    pub(super) fn question(&self, step: Step) -> Question {
        match (step, self.handle, self.usb) {
            (Step::Cancel, Some(handle), _) => Question::Cancel(handle),
            (Step::RestoreUsb, _, Some(usb)) => Question::SetUsb(usb),
            (Step::PowerOff, ..) => Question::SetPower(false),
            (Step::CheckPower, ..) => Question::Power,
            (Step::LookAtTransfer | Step::Cancel | Step::RestoreUsb, ..) => Question::Transfer,
        }
    }
}
