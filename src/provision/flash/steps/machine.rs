//! The states of a flash and the transitions between them.

use std::time::Duration;

use super::call::{Call, Next, Phase, Reply, TimedCall};
use super::state::{Progress, State};
use crate::common::printable::Line;
use crate::provision::bmc::{BmcError, Done, Handle, Running, Slot, StartRequest, Transfer, Usb};
use crate::provision::flash::failure::{Failure, NodeState};

/// The time between two questions about the state of the transfer.
const POLL: Duration = Duration::from_secs(1);
/// How often one flash logs in again. bmcd forgets its logins once for each restart.
const LOGINS: u8 = 3;

/// The parameters of a flash.
#[derive(Debug, Clone)]
pub(in crate::provision::flash) struct Job {
    pub request: StartRequest,
    /// The flash fails when nothing has moved for so long.
    pub stall: Duration,
    /// Whether a transfer that is already running is cancelled.
    pub take_over: bool,
    /// How long to wait for the end of a transfer that is already running.
    pub wait_for_board: Duration,
}

/// The state of one flash.
#[derive(Debug)]
pub(in crate::provision::flash) struct Steps {
    pub(super) job: Job,
    pub(super) state: State,
    /// The call whose reply is expected.
    calling: Call,
    /// A success that the BMC reported before this flash began. It reports the same until the next transfer starts.
    stale: Option<Done>,
    /// The wiring of USB before this flash.
    pub(super) usb: Option<Usb>,
    pub(super) handle: Option<Handle>,
    /// Whether the BMC may have received a byte, and written it.
    pub(super) has_sent: bool,
    /// When something last moved, counted from the beginning of the flash.
    pub(super) moved: Duration,
    /// How often the flash has logged in again.
    logins: u8,
}

impl Steps {
    #[must_use]
    pub(in crate::provision::flash) fn new(job: Job) -> Self {
        Self {
            job,
            state: State::ReadingTransfer,
            calling: Call::Transfer,
            stale: None,
            usb: None,
            handle: None,
            has_sent: false,
            moved: Duration::ZERO,
            logins: 0,
        }
    }

    /// Returns the first call.
    #[must_use]
    pub(in crate::provision::flash) fn begin(&self) -> Next {
        Next::Call(TimedCall { after: Duration::ZERO, call: self.calling.clone() })
    }

    #[must_use]
    pub(in crate::provision::flash) fn phase(&self) -> Phase {
        match self.state {
            State::ReadingTransfer | State::TakingOver | State::ReadingUsb => Phase::ReadingState,
            State::WaitingForBoard => Phase::WaitingForBoard,
            State::LoggingIn { .. } => Phase::LoggingInAgain,
            State::Starting => Phase::Starting,
            State::Uploading => Phase::Sending(0),
            State::Following(Progress { is_verifying: false, bytes }) => Phase::Writing(bytes),
            State::Following(Progress { is_verifying: true, bytes }) => Phase::Verifying(bytes),
            State::PoweringOn => Phase::PoweringOn,
            State::AskingForReason(_) | State::CleaningUp(_) => Phase::CleaningUp,
        }
    }

    /// Takes the reply to the last call, which came `at` this time since the beginning, and returns what to do next.
    pub(in crate::provision::flash) fn next(&mut self, at: Duration, reply: Reply) -> Next {
        let reply = match reply {
            Reply::Failed(error) if error.is_auth_error() => return self.log_in_again(at, error),
            reply => reply,
        };
        if let Reply::Failed(error) = &reply
            && error.is_transient()
            && !self.has_stalled(at)
            && let Some(call) = self.repeatable()
        {
            return self.call_later(call);
        }
        match self.take_state() {
            State::ReadingTransfer | State::WaitingForBoard => self.transfer_read(at, reply),
            State::TakingOver => self.taken_over(at, reply),
            State::ReadingUsb => self.usb_read(reply),
            State::Starting => self.started(at, reply),
            State::Uploading => self.uploaded(at, reply),
            State::AskingForReason(failure) => self.reason_received(at, failure, reply),
            State::Following(progress) => self.followed(at, progress, reply),
            State::PoweringOn => powered_on(reply),
            State::CleaningUp(clean_up) => self.clean_up(at, clean_up, reply),
            State::LoggingIn { resume, call } => self.logged_in(at, *resume, call, reply),
        }
    }

    /// Ends the flash on request of the user. A second request ends it without waiting for the clean-up.
    pub(in crate::provision::flash) fn interrupt(&mut self, at: Duration) -> Next {
        match self.take_state() {
            State::ReadingTransfer | State::WaitingForBoard | State::TakingOver | State::ReadingUsb => {
                Next::End(Err(Failure::Interrupted), NodeState::Untouched)
            }
            State::Starting | State::Uploading | State::AskingForReason(_) | State::Following(_) => {
                self.fail(at, Failure::Interrupted)
            }
            State::PoweringOn => Next::End(Err(Failure::Interrupted), NodeState::Written),
            State::CleaningUp(clean_up) => Next::End(Err(clean_up.failure), NodeState::Unknown),
            State::LoggingIn { resume, .. } => {
                self.state = *resume;
                self.interrupt(at)
            }
        }
    }

    pub(super) fn enter(&mut self, state: State, call: Call) -> Next {
        self.state = state;
        self.call(call, Duration::ZERO)
    }

    pub(super) fn call(&mut self, call: Call, after: Duration) -> Next {
        self.calling = call.clone();
        Next::Call(TimedCall { after, call })
    }

    fn call_later(&mut self, call: Call) -> Next {
        self.call(call, POLL)
    }

    fn enter_later(&mut self, state: State, call: Call) -> Next {
        self.state = state;
        self.call_later(call)
    }

    fn take_state(&mut self) -> State {
        std::mem::replace(&mut self.state, State::ReadingTransfer)
    }

    /// Returns the call to make if the last one, or its reply, got lost. A second start would cancel the first one.
    fn repeatable(&self) -> Option<Call> {
        match (&self.state, &self.calling) {
            (_, Call::Start | Call::Upload(_)) => None,
            (State::TakingOver, _) => Some(Call::Transfer),
            (_, call) => Some(call.clone()),
        }
    }

    /// Logs in again if the login has expired: bmcd keeps logins in memory and forgets them when it restarts.
    fn log_in_again(&mut self, at: Duration, error: BmcError) -> Next {
        let state = self.take_state();
        match (state, error) {
            (State::LoggingIn { resume, .. }, error) => end_without_login(*resume, error),
            (state, BmcError::LoginExpired) if self.logins < LOGINS => {
                self.logins += 1;
                self.moved = at;
                let call = self.calling.clone();
                self.enter(State::LoggingIn { resume: Box::new(state), call }, Call::LogIn)
            }
            (state, error) => end_without_login(state, error),
        }
    }

    fn logged_in(&mut self, at: Duration, resume: State, call: Call, reply: Reply) -> Next {
        match reply {
            Reply::Accepted => {
                self.moved = at;
                match call {
                    // The transfer of the upload was lost in the restart.
                    Call::Upload(_) => self.fail(at, Failure::Restarted),
                    call => self.enter(resume, call),
                }
            }
            reply => end_without_login(resume, unexpected(reply)),
        }
    }

    fn transfer_read(&mut self, at: Duration, reply: Reply) -> Next {
        match reply {
            Reply::Transfer(Transfer::Running(other)) if self.job.take_over => {
                self.moved = at;
                self.enter(State::TakingOver, Call::Cancel(other.id))
            }
            Reply::Transfer(Transfer::Running(_)) if at < self.job.wait_for_board => {
                self.enter_later(State::WaitingForBoard, Call::Transfer)
            }
            Reply::Transfer(Transfer::Running(other)) => {
                Next::End(Err(Failure::Busy(other)), NodeState::Untouched)
            }
            Reply::Transfer(transfer) => {
                self.moved = at;
                if let Transfer::Done(done) = transfer {
                    self.stale = Some(done);
                }
                self.enter(State::ReadingUsb, Call::Usb)
            }
            reply => Next::End(Err(Failure::Bmc(unexpected(reply))), NodeState::Untouched),
        }
    }

    fn taken_over(&mut self, at: Duration, reply: Reply) -> Next {
        match reply {
            Reply::Transfer(Transfer::Running(other)) if self.has_stalled(at) => {
                Next::End(Err(Failure::Busy(other)), NodeState::Untouched)
            }
            Reply::Accepted | Reply::Transfer(Transfer::Running(_)) => {
                self.enter_later(State::TakingOver, Call::Transfer)
            }
            Reply::Transfer(_) => self.enter(State::ReadingUsb, Call::Usb),
            reply => Next::End(Err(Failure::Bmc(unexpected(reply))), NodeState::Untouched),
        }
    }

    fn usb_read(&mut self, reply: Reply) -> Next {
        match reply {
            Reply::Usb(usb) => {
                self.usb = Some(usb.without_flash());
                self.enter(State::Starting, Call::Start)
            }
            reply => Next::End(Err(Failure::Bmc(unexpected(reply))), NodeState::Untouched),
        }
    }

    fn started(&mut self, at: Duration, reply: Reply) -> Next {
        self.moved = at;
        match reply {
            Reply::Started(handle) => {
                self.handle = Some(handle);
                self.has_sent = true;
                self.enter(State::Uploading, Call::Upload(handle))
            }
            // A refusal comes before the BMC touches the node.
            Reply::Failed(error @ BmcError::Refused { .. }) => {
                Next::End(Err(Failure::Bmc(error)), NodeState::Untouched)
            }
            // Otherwise the BMC may have switched the node off.
            reply => self.fail(at, Failure::Start(unexpected(reply))),
        }
    }

    fn uploaded(&mut self, at: Duration, reply: Reply) -> Next {
        self.moved = at;
        let failure = match reply {
            Reply::Accepted => {
                let progress = Progress { is_verifying: false, bytes: 0 };
                return self.enter(State::Following(progress), Call::Transfer);
            }
            Reply::UploadStalled(limit) => Failure::UploadStalled(limit),
            Reply::ImageUnreadable(error) => return self.fail(at, Failure::Image(error)),
            reply => match unexpected(reply) {
                BmcError::Refused { said, .. } => Failure::Reported(said),
                error => Failure::Upload(error),
            },
        };
        self.enter_later(State::AskingForReason(failure), Call::Transfer)
    }

    fn reason_received(&mut self, at: Duration, failure: Failure, reply: Reply) -> Next {
        match reply {
            // bmcd cancels its transfer whenever an upload breaks: that is a consequence, not the cause.
            Reply::Transfer(Transfer::Failed(said)) if !Failure::is_cancellation(&said) => {
                self.fail(at, Failure::Reported(said))
            }
            Reply::Transfer(Transfer::Running(running)) if !self.is_ours(&running) => {
                Next::End(Err(Failure::TakenOver(running)), NodeState::InUseByAnother)
            }
            Reply::Transfer(Transfer::Ready) => self.fail(at, Failure::Restarted),
            _ => self.fail(at, failure),
        }
    }

    fn followed(&mut self, at: Duration, before: Progress, reply: Reply) -> Next {
        let limit = self.job.stall;
        let seen = match reply {
            Reply::Transfer(Transfer::Running(running)) if !self.is_ours(&running) => {
                return Next::End(Err(Failure::TakenOver(running)), NodeState::InUseByAnother);
            }
            Reply::Transfer(Transfer::Running(running)) => before.then(running.bytes_written),
            Reply::Transfer(Transfer::Done(done)) if self.is_this(done) => {
                self.moved = at;
                return self.enter(State::PoweringOn, Call::SetPower(true));
            }
            // The success of an earlier transfer says nothing about this one.
            Reply::Transfer(Transfer::Done(_)) => before,
            Reply::Transfer(Transfer::Failed(said)) => return self.fail(at, Failure::Reported(said)),
            Reply::Transfer(Transfer::Ready) => return self.fail(at, Failure::Restarted),
            reply => {
                let source = unexpected(reply);
                return self.fail(at, Failure::Lost { limit, source });
            }
        };
        if seen != before {
            self.moved = at;
        }
        self.state = State::Following(seen);
        if self.has_stalled(at) {
            let phase = self.phase();
            return self.fail(at, Failure::Stalled { phase, limit });
        }
        self.call_later(Call::Transfer)
    }

    fn has_stalled(&self, at: Duration) -> bool {
        let limit = match self.state {
            // An upload of somebody else keeps the BMC from answering at all.
            State::ReadingTransfer | State::WaitingForBoard => self.job.stall.max(self.job.wait_for_board),
            _ => self.job.stall,
        };
        at.saturating_sub(self.moved) >= limit
    }

    /// Compares handles. If the start was not answered, compares everything that the transfer was started with.
    pub(super) fn is_ours(&self, running: &Running) -> bool {
        let request = &self.job.request;
        self.handle.map_or_else(
            || running.is_of(request.slot) && running.size == request.length,
            |handle| running.id == handle,
        )
    }

    pub(super) fn is_this(&self, done: Done) -> bool {
        done.size == self.job.request.length && self.stale != Some(done)
    }

    pub(super) fn slot(&self) -> Slot {
        self.job.request.slot
    }
}

impl Progress {
    /// Notes the count of the next reply. It falls once: when the BMC starts to read back what it wrote.
    fn then(self, bytes: u64) -> Self {
        Self { is_verifying: self.is_verifying || bytes < self.bytes, bytes }
    }
}

fn end_without_login(state: State, error: BmcError) -> Next {
    match state {
        State::ReadingTransfer
        | State::WaitingForBoard
        | State::TakingOver
        | State::ReadingUsb
        // The BMC checks the login before it touches the node.
        | State::Starting => Next::End(Err(Failure::Bmc(error)), NodeState::Untouched),
        State::PoweringOn => Next::End(Err(Failure::PowerOn(error)), NodeState::Written),
        State::CleaningUp(clean_up) => Next::End(Err(clean_up.failure), NodeState::Unknown),
        State::LoggingIn { resume, .. } => end_without_login(*resume, error),
        State::Uploading | State::AskingForReason(_) | State::Following(_) => {
            Next::End(Err(Failure::Bmc(error)), NodeState::Unknown)
        }
    }
}

fn powered_on(reply: Reply) -> Next {
    match reply {
        Reply::Accepted => Next::End(Ok(()), NodeState::On),
        reply => Next::End(Err(Failure::PowerOn(unexpected(reply))), NodeState::Written),
    }
}

/// Returns the error of a failed call. A reply to another call is an error as well.
pub(super) fn unexpected(reply: Reply) -> BmcError {
    match reply {
        Reply::Failed(error) => error,
        reply => BmcError::Unparsable { said: Line::new(&format!("{reply:?}")) },
    }
}
