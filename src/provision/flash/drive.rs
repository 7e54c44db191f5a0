//! Makes the calls that the state machine asks for, until the flash has ended.

use std::time::Instant;

use tokio::select;
use tokio::time::sleep;

use super::failure::{Failure, NodeState};
use super::interrupt::Interrupt;
use super::payload::Payload;
use super::steps::{Call, Job, Next, Phase, Reply, Steps, TimedCall};
use super::upload::upload;
use crate::provision::bmc::{Bmc, BmcError};

/// Flashes one module. `show` is called with each phase.
pub(super) async fn drive(
    bmc: &mut Bmc,
    job: Job,
    payload: &Payload,
    interrupt: &mut Interrupt,
    show: &mut dyn FnMut(Phase),
) -> (Result<(), Failure>, NodeState) {
    let began = Instant::now();
    let mut steps = Steps::new(job.clone());
    let mut next = steps.begin();
    loop {
        let call = match next {
            Next::Call(call) => call,
            Next::End(result, state) => return (result, state),
        };
        show(steps.phase());
        let reply = select! {
            reply = perform(bmc, &job, payload, call, show) => Some(reply),
            () = interrupt.wait() => None,
        };
        next = match reply {
            Some(reply) => steps.next(began.elapsed(), reply),
            None => steps.interrupt(began.elapsed()),
        };
    }
}

async fn perform(
    bmc: &mut Bmc,
    job: &Job,
    payload: &Payload,
    call: TimedCall,
    show: &mut dyn FnMut(Phase),
) -> Reply {
    sleep(call.after).await;
    match call.call {
        Call::LogIn => accepted(bmc.log_in_again().await),
        Call::Transfer => reply(bmc.transfer().await, Reply::Transfer),
        Call::Usb => reply(bmc.usb().await, Reply::Usb),
        Call::Power => reply(bmc.power().await, Reply::Power),
        Call::Start => reply(bmc.start(&job.request).await, Reply::Started),
        Call::Upload(handle) => {
            let sent = &mut |bytes| show(Phase::Sending(bytes));
            upload(bmc, handle, &job.request.file, payload, job.stall, sent).await
        }
        Call::Cancel(handle) => accepted(bmc.cancel(handle).await),
        Call::SetPower(on) => accepted(bmc.set_power(job.request.slot, on).await),
        Call::SetUsb(usb) => accepted(bmc.set_usb(usb).await),
    }
}

fn reply<T>(result: Result<T, BmcError>, of: impl FnOnce(T) -> Reply) -> Reply {
    result.map_or_else(Reply::Failed, of)
}

fn accepted(result: Result<(), BmcError>) -> Reply {
    reply(result, |()| Reply::Accepted)
}
