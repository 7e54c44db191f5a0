//! One flash as a state machine: answers go in, what to ask next comes out. Nothing here waits, sends or prints.

mod clean_up;
mod dialogue;
mod phase;
#[cfg(test)]
mod tests;

use std::time::Duration;

use super::{Failure, Left};
use crate::provision::bmc::{BmcError, Done, Handle, Running, Slot, StartRequest, Transfer, Usb};
use clean_up::CleanUp;
pub use dialogue::{Answer, Ask, Next, Question};
pub use phase::Phase;

/// Time between two looks at what the BMC does.
const POLL: Duration = Duration::from_secs(1);

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Job {
    pub request: StartRequest,
    /// Without any progress for so long, it has failed.
    pub stall: Duration,
    /// Whether a transfer that runs already is cancelled first.
    pub take_over: bool,
}

/// One flash.
#[derive(Debug)]
pub struct Steps {
    job: Job,
    state: State,
    /// A success that was reported before this flash began: it stays until the next one starts.
    stale: Option<Done>,
    usb: Option<Usb>,
    handle: Option<Handle>,
    /// Whether the BMC may have got a byte, and written it.
    has_sent: bool,
    /// When something last moved, since the beginning.
    moved: Duration,
}

#[derive(Debug)]
enum State {
    /// What the BMC does before anything is started.
    Looking,
    /// Another transfer was cancelled, as was asked for.
    TakingOver(Running),
    LookingAtUsb,
    Starting,
    Uploading,
    /// The upload has failed: the BMC may know why.
    AskingWhy(Failure),
    Following(Following),
    PoweringOn,
    CleaningUp(CleanUp),
}

/// How far the BMC has come with what it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Following {
    is_verifying: bool,
    bytes: u64,
}

fn now(what: Question) -> Next {
    Next::Ask(Ask { after: Duration::ZERO, what })
}

fn later(what: Question) -> Next {
    Next::Ask(Ask { after: POLL, what })
}

impl Steps {
    #[must_use]
    pub fn new(job: Job) -> Self {
        Self {
            job,
            state: State::Looking,
            stale: None,
            usb: None,
            handle: None,
            has_sent: false,
            moved: Duration::ZERO,
        }
    }

    /// The first thing to ask.
    #[must_use]
    pub fn begin(&self) -> Next {
        now(Question::Transfer)
    }

    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.state {
            State::Looking | State::TakingOver(_) | State::LookingAtUsb => Phase::Looking,
            State::Starting => Phase::Starting,
            State::Uploading => Phase::Sending(0),
            State::Following(Following { is_verifying: false, bytes }) => Phase::Writing(bytes),
            State::Following(Following { is_verifying: true, bytes }) => Phase::Verifying(bytes),
            State::PoweringOn => Phase::PoweringOn,
            State::AskingWhy(_) | State::CleaningUp(_) => Phase::CleaningUp,
        }
    }

    /// What to do after an answer, which came `at` this time since the beginning.
    pub fn next(&mut self, at: Duration, answer: Answer) -> Next {
        // Asking on would count as breaking in.
        let answer = match answer {
            Answer::Refused(error) if error.is_of_the_login() => return self.end_without_login(error),
            answer => answer,
        };
        if let Answer::Refused(error) = &answer
            && error.is_of_the_connection()
            && !self.has_stalled(at)
            && let Some(question) = self.repeatable()
        {
            return later(question);
        }
        match std::mem::replace(&mut self.state, State::Looking) {
            State::Looking => self.looked(at, answer),
            State::TakingOver(other) => self.taken_over(at, other, answer),
            State::LookingAtUsb => self.looked_at_usb(answer),
            State::Starting => self.started(at, answer),
            State::Uploading => self.uploaded(at, answer),
            State::AskingWhy(failure) => self.asked_why(at, failure, answer),
            State::Following(following) => self.followed(at, following, answer),
            State::PoweringOn => powered_on(answer),
            State::CleaningUp(clean_up) => self.clean_up(at, clean_up, answer),
        }
    }

    /// What may be asked again where the answer did not arrive. A second start would cancel the first one.
    fn repeatable(&self) -> Option<Question> {
        match &self.state {
            State::Looking | State::TakingOver(_) | State::AskingWhy(_) | State::Following(_) => {
                Some(Question::Transfer)
            }
            State::LookingAtUsb => Some(Question::Usb),
            State::PoweringOn => Some(Question::SetPower(true)),
            State::CleaningUp(clean_up) => Some(self.question(clean_up.step)),
            State::Starting | State::Uploading => None,
        }
    }

    /// The user wants it to end. A second time, at once.
    pub fn interrupt(&mut self, at: Duration) -> Next {
        match std::mem::replace(&mut self.state, State::Looking) {
            State::Looking | State::TakingOver(_) | State::LookingAtUsb => {
                Next::End(Err(Failure::Interrupted), Left::Untouched)
            }
            State::Starting | State::Uploading | State::AskingWhy(_) | State::Following(_) => {
                self.fail(at, Failure::Interrupted)
            }
            State::PoweringOn => Next::End(Err(Failure::Interrupted), Left::Written),
            State::CleaningUp(clean_up) => Next::End(Err(clean_up.failure), Left::Unknown),
        }
    }

    fn enter(&mut self, state: State, next: Next) -> Next {
        self.state = state;
        next
    }

    fn looked(&mut self, at: Duration, answer: Answer) -> Next {
        match answer {
            Answer::Transfer(Transfer::Running(other)) if self.job.take_over => {
                self.moved = at;
                let cancel = now(Question::Cancel(other.id));
                self.enter(State::TakingOver(other), cancel)
            }
            Answer::Transfer(Transfer::Running(other)) => {
                Next::End(Err(Failure::Busy(other)), Left::Untouched)
            }
            Answer::Transfer(transfer) => {
                if let Transfer::Done(done) = transfer {
                    self.stale = Some(done);
                }
                self.enter(State::LookingAtUsb, now(Question::Usb))
            }
            answer => Next::End(Err(Failure::Bmc(unexpected(answer))), Left::Untouched),
        }
    }

    fn taken_over(&mut self, at: Duration, other: Running, answer: Answer) -> Next {
        match answer {
            Answer::Accepted => self.enter(State::TakingOver(other), later(Question::Transfer)),
            Answer::Transfer(Transfer::Running(other)) if self.has_stalled(at) => {
                Next::End(Err(Failure::Busy(other)), Left::Untouched)
            }
            Answer::Transfer(Transfer::Running(other)) => {
                self.enter(State::TakingOver(other), later(Question::Transfer))
            }
            Answer::Transfer(_) => self.enter(State::LookingAtUsb, now(Question::Usb)),
            answer => Next::End(Err(Failure::Bmc(unexpected(answer))), Left::Untouched),
        }
    }

    fn looked_at_usb(&mut self, answer: Answer) -> Next {
        match answer {
            Answer::Usb(usb) => {
                self.usb = Some(usb.without_flash());
                self.enter(State::Starting, now(Question::Start))
            }
            answer => Next::End(Err(Failure::Bmc(unexpected(answer))), Left::Untouched),
        }
    }

    fn started(&mut self, at: Duration, answer: Answer) -> Next {
        self.moved = at;
        match answer {
            Answer::Started(handle) => {
                self.handle = Some(handle);
                self.has_sent = true;
                self.enter(State::Uploading, now(Question::Upload(handle)))
            }
            // Whether it began is not known.
            Answer::Refused(error) if error.is_of_the_connection() => self.fail(at, Failure::Start(error)),
            answer => Next::End(Err(Failure::Bmc(unexpected(answer))), Left::Untouched),
        }
    }

    fn uploaded(&mut self, at: Duration, answer: Answer) -> Next {
        self.moved = at;
        let failure = match answer {
            Answer::Accepted => {
                let following = Following { is_verifying: false, bytes: 0 };
                return self.enter(State::Following(following), now(Question::Transfer));
            }
            Answer::UploadStalled(limit) => Failure::UploadStalled(limit),
            Answer::Source(error) => return self.fail(at, Failure::Source(error)),
            answer => match unexpected(answer) {
                BmcError::Refused { said, .. } => Failure::Said(said),
                error => Failure::Upload(error),
            },
        };
        self.enter(State::AskingWhy(failure), later(Question::Transfer))
    }

    fn asked_why(&mut self, at: Duration, failure: Failure, answer: Answer) -> Next {
        match answer {
            Answer::Transfer(Transfer::Failed(said)) => self.fail(at, Failure::Said(said)),
            Answer::Transfer(Transfer::Running(running)) if !self.is_ours(&running) => {
                Next::End(Err(Failure::TakenOver(running)), Left::WithAnother)
            }
            _ => self.fail(at, failure),
        }
    }

    fn followed(&mut self, at: Duration, before: Following, answer: Answer) -> Next {
        let limit = self.job.stall;
        let seen = match answer {
            Answer::Transfer(Transfer::Running(running)) if !self.is_ours(&running) => {
                return Next::End(Err(Failure::TakenOver(running)), Left::WithAnother);
            }
            Answer::Transfer(Transfer::Running(running)) => before.then(running.bytes_written),
            Answer::Transfer(Transfer::Done(done)) if self.is_this(done) => {
                self.moved = at;
                return self.enter(State::PoweringOn, now(Question::SetPower(true)));
            }
            // An earlier one's, which says nothing of this one.
            Answer::Transfer(Transfer::Done(_)) => before,
            Answer::Transfer(Transfer::Failed(said)) => return self.fail(at, Failure::Said(said)),
            Answer::Transfer(Transfer::Ready) => return self.fail(at, Failure::Forgotten),
            answer => match unexpected(answer) {
                source if source.is_of_the_connection() => {
                    return self.fail(at, Failure::Lost { limit, source });
                }
                error => return self.fail(at, Failure::Upload(error)),
            },
        };
        if seen != before {
            self.moved = at;
        }
        self.state = State::Following(seen);
        if self.has_stalled(at) {
            let phase = self.phase();
            return self.fail(at, Failure::Stalled { phase, limit });
        }
        later(Question::Transfer)
    }

    fn has_stalled(&self, at: Duration) -> bool {
        at.saturating_sub(self.moved) >= self.job.stall
    }

    /// By its handle; where the start was not answered, by all that it was started with.
    fn is_ours(&self, running: &Running) -> bool {
        let request = &self.job.request;
        self.handle.map_or_else(
            || running.is_of(request.slot) && running.size == request.length,
            |handle| running.id == handle,
        )
    }

    fn is_this(&self, done: Done) -> bool {
        done.size == self.job.request.length && self.stale != Some(done)
    }

    fn slot(&self) -> Slot {
        self.job.request.slot
    }

    fn end_without_login(&mut self, error: BmcError) -> Next {
        match std::mem::replace(&mut self.state, State::Looking) {
            State::Looking | State::TakingOver(_) | State::LookingAtUsb | State::Starting => {
                Next::End(Err(Failure::Bmc(error)), Left::Untouched)
            }
            State::PoweringOn => Next::End(Err(Failure::PowerOn(error)), Left::Written),
            State::CleaningUp(clean_up) => Next::End(Err(clean_up.failure), Left::Unknown),
            State::Uploading | State::AskingWhy(_) | State::Following(_) => {
                Next::End(Err(Failure::Bmc(error)), Left::Unknown)
            }
        }
    }
}

impl Following {
    /// The count falls once: when what was written is read back.
    fn then(self, bytes: u64) -> Self {
        Self { is_verifying: self.is_verifying || bytes < self.bytes, bytes }
    }
}

fn powered_on(answer: Answer) -> Next {
    match answer {
        Answer::Accepted => Next::End(Ok(()), Left::On),
        answer => Next::End(Err(Failure::PowerOn(unexpected(answer))), Left::Written),
    }
}

/// The error of an answer that is one, or of one to another question.
fn unexpected(answer: Answer) -> BmcError {
    match answer {
        Answer::Refused(error) => error,
        answer => BmcError::NotUnderstood { said: crate::printable::Line::new(&format!("{answer:?}")) },
    }
}
