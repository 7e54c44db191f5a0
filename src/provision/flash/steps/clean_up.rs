//! The clean-up after a failure: no transfer of ours is running, the node is off, and USB is wired as before.
//!
//! bmcd does this by itself if its worker fails while it writes. If the module is not found it does not: the node stays
//! on and waits for a flash (bmcd, `upgrade_worker.rs`: the `?` after `node_in_flash`).

use std::time::Duration;

use super::call::{Call, Next, Reply};
use super::machine::Steps;
use super::state::{CleanUp, CleanUpStep as Step, State};
use crate::provision::bmc::Transfer;
use crate::provision::flash::failure::{Failure, NodeState};

/// A worker that is cancelled while it searches for the module powers the module on again a second or two later.
const CHECK: Duration = Duration::from_secs(3);
/// How often the node is switched off again before the clean-up gives up.
const TRIES: u8 = 5;

impl Steps {
    /// Begins the clean-up after a failure.
    pub(super) fn fail(&mut self, at: Duration, failure: Failure) -> Next {
        self.moved = at;
        self.clean_up_step(CleanUp { failure, step: Step::ReadTransfer, tries: 0 }, Step::ReadTransfer)
    }

    pub(super) fn clean_up(&mut self, at: Duration, clean_up: CleanUp, reply: Reply) -> Next {
        if matches!(&reply, Reply::Failed(error) if error.is_transient()) {
            return Next::End(Err(clean_up.failure), NodeState::Unknown);
        }
        self.moved = at;
        match (clean_up.step, reply) {
            (Step::ReadTransfer, Reply::Transfer(Transfer::Running(running))) => {
                if self.is_ours(&running) {
                    self.handle = Some(running.id);
                    self.clean_up_step(clean_up, Step::Cancel)
                } else {
                    Next::End(Err(clean_up.failure), NodeState::InUseByAnother)
                }
            }
            // It is too late to stop the transfer.
            (Step::ReadTransfer, Reply::Transfer(Transfer::Done(done))) if self.is_this(done) => {
                Next::End(Err(clean_up.failure), NodeState::Written)
            }
            (Step::ReadTransfer | Step::Cancel, _) => self.clean_up_step(clean_up, Step::PowerOff),
            (Step::PowerOff, _) => self.clean_up_step(clean_up, Step::RestoreUsb),
            (Step::RestoreUsb, _) => self.clean_up_step(clean_up, Step::CheckPower),
            (Step::CheckPower, Reply::Power(power)) => match power.is_on(self.slot()) {
                Some(false) => {
                    let is_unwritten = clean_up.failure.is_before_writing() || !self.has_sent;
                    let state =
                        if is_unwritten { NodeState::OffUnwritten } else { NodeState::OffPartlyWritten };
                    Next::End(Err(clean_up.failure), state)
                }
                Some(true) if clean_up.tries < TRIES => {
                    let tries = clean_up.tries + 1;
                    self.clean_up_step(CleanUp { tries, ..clean_up }, Step::PowerOff)
                }
                Some(true) | None => Next::End(Err(clean_up.failure), NodeState::Unknown),
            },
            (Step::CheckPower, _) => Next::End(Err(clean_up.failure), NodeState::Unknown),
        }
    }

    fn clean_up_step(&mut self, clean_up: CleanUp, step: Step) -> Next {
        let call = match (step, self.handle, self.usb) {
            (Step::Cancel, Some(handle), _) => Call::Cancel(handle),
            (Step::RestoreUsb, _, Some(usb)) => Call::SetUsb(usb),
            (Step::PowerOff, ..) => Call::SetPower(false),
            (Step::CheckPower, ..) => Call::Power,
            (Step::ReadTransfer | Step::Cancel | Step::RestoreUsb, ..) => Call::Transfer,
        };
        let after = if step == Step::CheckPower { CHECK } else { Duration::ZERO };
        self.state = State::CleaningUp(CleanUp { step, ..clean_up });
        self.call(call, after)
    }
}
