//! Does what the steps ask for, until they end.

use std::time::Instant;

use tokio::select;
use tokio::time::sleep;

use super::steps::{Answer, Ask, Job, Next, Phase, Question, Steps};
use super::upload::upload;
use super::{Failure, Interrupt, Left, Payload};
use crate::provision::bmc::{Bmc, BmcError};

/// Flashes one module. `show` is told what is going on.
pub async fn drive(
    bmc: &Bmc,
    job: Job,
    payload: &Payload,
    interrupt: &mut Interrupt,
    show: &mut dyn FnMut(Phase),
) -> (Result<(), Failure>, Left) {
    let began = Instant::now();
    let mut steps = Steps::new(job.clone());
    let mut next = steps.begin();
    loop {
        let ask = match next {
            Next::Ask(ask) => ask,
            Next::End(result, left) => return (result, left),
        };
        show(steps.phase());
        let answer = select! {
            answer = perform(bmc, &job, payload, ask, show) => Some(answer),
            () = interrupt.wait() => None,
        };
        next = match answer {
            Some(answer) => steps.next(began.elapsed(), answer),
            None => steps.interrupt(began.elapsed()),
        };
    }
}

async fn perform(bmc: &Bmc, job: &Job, payload: &Payload, ask: Ask, show: &mut dyn FnMut(Phase)) -> Answer {
    sleep(ask.after).await;
    match ask.what {
        Question::Transfer => answer(bmc.transfer().await, Answer::Transfer),
        Question::Usb => answer(bmc.usb().await, Answer::Usb),
        Question::Power => answer(bmc.power().await, Answer::Power),
        Question::Start => answer(bmc.start(&job.request).await, Answer::Started),
        Question::Upload(handle) => {
            let sent = &mut |bytes| show(Phase::Sending(bytes));
            upload(bmc, handle, &job.request.file, payload, job.stall, sent).await
        }
        Question::Cancel(handle) => accepted(bmc.cancel(handle).await),
        Question::SetPower(on) => accepted(bmc.set_power(job.request.slot, on).await),
        Question::SetUsb(usb) => accepted(bmc.set_usb(usb).await),
    }
}

fn answer<T>(result: Result<T, BmcError>, of: impl FnOnce(T) -> Answer) -> Answer {
    result.map_or_else(Answer::Refused, of)
}

fn accepted(result: Result<(), BmcError>) -> Answer {
    answer(result, |()| Answer::Accepted)
}
