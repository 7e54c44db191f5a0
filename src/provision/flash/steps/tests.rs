use std::time::Duration;

use reqwest::StatusCode;

use super::*;
use crate::printable::Line;
use crate::provision::bmc::Power;

const LENGTH: u64 = 1000;
const OURS: Handle = Handle(7);
const SECOND: Duration = Duration::from_secs(1);

fn job() -> Job {
    let request = StartRequest {
        slot: Slot::ALL[0],
        file: "rk1-01.img".to_owned(),
        length: LENGTH,
        sha256: "00".repeat(32),
    };
    Job { request, stall: 60 * SECOND, take_over: false }
}

fn running(id: u32, bytes_written: u64) -> Answer {
    Answer::Transfer(Transfer::Running(Running {
        id: Handle(id),
        process_name: "Node 1 os install service".to_owned(),
        size: LENGTH,
        cancelled: false,
        bytes_written,
    }))
}

fn done(seconds: u64) -> Answer {
    Answer::Transfer(Transfer::Done(Done { took: Duration::from_secs(seconds), size: LENGTH }))
}

fn said(text: &str) -> Answer {
    Answer::Transfer(Transfer::Failed(Line::new(text)))
}

fn ready() -> Answer {
    Answer::Transfer(Transfer::Ready)
}

fn refused(text: &str) -> Answer {
    Answer::Refused(BmcError::Refused { status: StatusCode::INTERNAL_SERVER_ERROR, said: Line::new(text) })
}

fn unreachable() -> Answer {
    Answer::Refused(BmcError::Late)
}

fn usb() -> Usb {
    Usb::host(Slot::ALL[1])
}

/// A flash, and what it asked for so far.
struct Play {
    steps: Steps,
    next: Next,
    asked: Vec<String>,
    at: Duration,
}

impl Play {
    fn new(job: Job) -> Self {
        let steps = Steps::new(job);
        let next = steps.begin();
        Self { steps, next, asked: Vec::new(), at: Duration::ZERO }
    }

    /// As far as the upload, on a board that does nothing.
    fn uploading() -> Self {
        Self::new(job()).answer(ready()).answer(Answer::Usb(usb())).answer(Answer::Started(OURS))
    }

    /// As far as the upload's end.
    fn following() -> Self {
        Self::uploading().answer(Answer::Accepted)
    }

    fn answer(mut self, answer: Answer) -> Self {
        self.note();
        self.at += SECOND;
        self.next = self.steps.next(self.at, answer);
        self
    }

    fn answers(self, answers: impl IntoIterator<Item = Answer>) -> Self {
        answers.into_iter().fold(self, Self::answer)
    }

    fn after(mut self, time: Duration) -> Self {
        self.at += time;
        self
    }

    fn interrupted(mut self) -> Self {
        self.note();
        self.next = self.steps.interrupt(self.at);
        self
    }

    /// Cleaned up: nothing runs, the node is off.
    fn cleaned_up(self) -> Self {
        self.answers([Answer::Accepted, Answer::Accepted, Answer::Power(Power::all(false))])
    }

    fn note(&mut self) {
        let Next::Ask(ask) = &self.next else { panic!("it has ended: {:?}", self.next) };
        self.asked.push(format!("{:?}", ask.what));
    }

    /// How it ended.
    fn end(self) -> (String, Left) {
        match self.next {
            Next::End(Ok(()), left) => ("success".to_owned(), left),
            Next::End(Err(failure), left) => (failure.to_string(), left),
            Next::Ask(ask) => panic!("it goes on: {ask:?}"),
        }
    }

    fn last_asked(&self, count: usize) -> &[String] {
        &self.asked[self.asked.len() - count..]
    }
}

fn ended(text: &str, left: Left) -> (String, Left) {
    (text.to_owned(), left)
}

#[test]
fn a_flash_goes_from_looking_to_power() {
    let play = Play::following()
        .answers([running(7, 400), running(7, 1000), running(7, 300), running(7, 1000), done(9)])
        .answer(Answer::Accepted);
    let expected = [
        "Transfer",
        "Usb",
        "Start",
        "Upload(Handle(7))",
        "Transfer",
        "Transfer",
        "Transfer",
        "Transfer",
        "Transfer",
        "SetPower(true)",
    ];
    assert_eq!(play.asked, expected);
    assert_eq!(play.end(), ended("success", Left::On));
}

#[test]
fn reading_back_is_told_from_writing_by_the_count_that_falls() {
    let mut play = Play::following();
    let mut phases = Vec::new();
    // Decoded by the BMC, more bytes are written than were sent.
    for bytes in [500, 1000, 1800, 200, 1800] {
        play = play.answer(running(7, bytes));
        phases.push(play.steps.phase());
    }
    let expected = [
        Phase::Writing(500),
        Phase::Writing(1000),
        Phase::Writing(1800),
        Phase::Verifying(200),
        Phase::Verifying(1800),
    ];
    assert_eq!(phases, expected);
}

#[test]
fn a_stale_success_is_not_believed() {
    let stale = || Play::new(job()).answer(done(9)).answer(Answer::Usb(usb())).answer(Answer::Started(OURS));
    let believed = stale().answers([Answer::Accepted, done(9), done(9), done(12), Answer::Accepted]);
    assert_eq!(believed.end(), ended("success", Left::On));
    let never = stale().answers([Answer::Accepted, done(9)]).after(60 * SECOND).answers([done(9), done(9)]);
    assert_eq!(
        never.cleaned_up().end(),
        ended("nothing has moved for 60 s while the BMC was writing, after 0 bytes", Left::OffInPart)
    );
}

#[test]
fn a_success_of_another_length_is_not_this_one() {
    let other = Answer::Transfer(Transfer::Done(Done { took: SECOND, size: LENGTH + 1 }));
    let play = Play::following().answer(other);
    assert!(matches!(play.next, Next::Ask(_)));
}

#[test]
fn an_old_error_says_nothing_of_this_flash() {
    let play = Play::new(job()).answer(said("USB"));
    assert!(matches!(&play.next, Next::Ask(ask) if ask.what == Question::Usb));
}

#[test]
fn a_running_transfer_is_left_alone() {
    let (failure, left) = Play::new(job()).answer(running(9, 10)).end();
    assert_eq!(
        failure,
        "another transfer is running on the board: `Node 1 os install service`, 10 of 1000 bytes"
    );
    assert_eq!(left, Left::Untouched);
}

#[test]
fn a_running_transfer_is_taken_over_on_request() {
    let take_over = || Play::new(Job { take_over: true, ..job() }).answer(running(9, 10));
    let play = take_over().answers([Answer::Accepted, running(9, 10), said("cancelled by user")]);
    assert_eq!(play.asked, ["Transfer", "Cancel(Handle(9))", "Transfer", "Transfer"]);
    assert!(matches!(&play.next, Next::Ask(ask) if ask.what == Question::Usb));

    let stuck = take_over().answer(Answer::Accepted).after(60 * SECOND).answer(running(9, 10));
    assert_eq!(stuck.end().1, Left::Untouched);
}

#[test]
fn a_start_that_is_refused_touches_nothing() {
    let play = Play::new(job()).answer(ready()).answer(Answer::Usb(usb())).answer(refused("no such node"));
    assert_eq!(play.end(), ended("the BMC refuses with status 500: no such node", Left::Untouched));
}

#[test]
fn a_start_without_an_answer_is_looked_after() {
    let start = || Play::new(job()).answer(ready()).answer(Answer::Usb(usb())).answer(unreachable());
    let failure = "the start of the flash was not answered: the BMC does not answer in time";
    let began = start().answer(running(3, 0)).answer(Answer::Accepted).cleaned_up();
    assert_eq!(began.last_asked(4)[0], "Cancel(Handle(3))");
    assert_eq!(began.end(), ended(failure, Left::OffAsItWas));
    let never_began = start().answer(ready()).cleaned_up();
    assert_eq!(never_began.end(), ended(failure, Left::OffAsItWas));
}

#[test]
fn a_module_that_is_not_found_is_switched_off() {
    let play = Play::uploading()
        .answer(refused("No supported USB devices found"))
        .answers([said("No supported USB devices found"), said("No supported USB devices found")])
        .cleaned_up();
    assert_eq!(play.last_asked(3), ["SetPower(false)", &format!("SetUsb({:?})", usb()), "Power"]);
    assert_eq!(play.end(), ended("the BMC says: No supported USB devices found", Left::OffAsItWas));
}

#[test]
fn a_node_that_comes_on_again_is_switched_off_again() {
    let fail = || Play::following().answers([said("USB"), said("USB"), Answer::Accepted, Answer::Accepted]);
    let on = || Answer::Power(Power::all(true));
    let play = fail().answer(on()).cleaned_up();
    assert_eq!(play.end().1, Left::OffAsItWas);
    let round = || [on(), Answer::Accepted, Answer::Accepted];
    let stubborn = (0..5).fold(fail(), |play, _| play.answers(round())).answer(on());
    assert_eq!(stubborn.end().1, Left::Unknown);
}

#[test]
fn why_an_upload_broke_off_is_asked_for() {
    let broken = || Play::uploading().answer(unreachable());
    let why =
        broken().answer(said("sha256 checksum failed. Expected: a, got: b")).answer(ready()).cleaned_up();
    assert_eq!(
        why.end(),
        ended("the BMC says: sha256 checksum failed. Expected: a, got: b", Left::OffInPart)
    );
    let silent = broken().answers([running(7, 5), running(7, 5), Answer::Accepted]).cleaned_up();
    assert_eq!(
        silent.end(),
        ended(
            "the upload broke off and the BMC does not say why: the BMC does not answer in time",
            Left::OffInPart
        )
    );
    let gone = broken().after(60 * SECOND).answers([unreachable(), unreachable()]);
    let gone = gone.after(60 * SECOND).answer(unreachable());
    assert_eq!(gone.end().1, Left::Unknown);
}

#[test]
fn what_the_worker_says_is_passed_on() {
    for (text, left) in [
        ("Send timeout", Left::OffAsItWas),
        ("crc error. expected 1, calculated 2", Left::OffInPart),
        ("cancelled by user", Left::OffInPart),
    ] {
        let play = Play::following().answers([said(text), said(text)]).cleaned_up();
        assert_eq!(play.end(), ended(&format!("the BMC says: {text}"), left));
    }
}

#[test]
fn a_transfer_that_never_ends_is_cancelled() {
    let play =
        Play::following().answers([running(7, 5), running(7, 6)]).after(60 * SECOND).answer(running(7, 6));
    let play = play.answers([running(7, 6), Answer::Accepted]).cleaned_up();
    assert_eq!(play.last_asked(4)[0], "Cancel(Handle(7))");
    assert_eq!(
        play.end(),
        ended("nothing has moved for 60 s while the BMC was writing, after 6 bytes", Left::OffInPart)
    );
}

#[test]
fn a_short_silence_is_waited_out() {
    let play = Play::following().answers([running(7, 5), unreachable(), unreachable(), running(7, 9)]);
    assert_eq!(play.steps.phase(), Phase::Writing(9));
    let lost = Play::following().answers([running(7, 5)]).after(60 * SECOND).answer(unreachable());
    let lost = lost.answer(ready()).cleaned_up();
    assert_eq!(
        lost.end(),
        ended("the BMC could not be asked for 60 s: the BMC does not answer in time", Left::OffInPart)
    );
}

#[test]
fn what_did_not_arrive_is_asked_again_before_and_after_too() {
    let play = Play::new(job()).answers([unreachable(), ready(), unreachable(), Answer::Usb(usb())]);
    assert_eq!(play.asked, ["Transfer", "Transfer", "Usb", "Usb"]);
    let play = Play::following().answers([done(9), unreachable(), Answer::Accepted]);
    assert_eq!(play.end(), ended("success", Left::On));
    let gone = Play::new(job()).after(60 * SECOND).answer(unreachable());
    assert_eq!(gone.end(), ended("the BMC does not answer in time", Left::Untouched));
}

#[test]
fn a_bmc_that_restarted_is_asked_nothing_that_counts_as_breaking_in() {
    let restarted = Play::following().answers([running(7, 5), Answer::Refused(BmcError::LoginForgotten)]);
    assert_eq!(restarted.end(), ended("the BMC no longer knows this login", Left::Unknown));
    let forgotten = Play::following().answers([running(7, 5), ready(), ready()]).cleaned_up();
    assert_eq!(
        forgotten.end(),
        ended("the BMC knows nothing of this flash any more: it has restarted", Left::OffInPart)
    );
}

#[test]
fn a_transfer_of_somebody_else_is_left_alone() {
    let taken = Play::following().answers([running(7, 5), running(8, 0)]).end();
    assert_eq!(taken.1, Left::WithAnother);
    let meanwhile = Play::uploading().answer(refused("transfer canceled")).answer(running(8, 0)).end();
    assert_eq!(meanwhile.1, Left::WithAnother);
}

#[test]
fn an_interruption_cancels_what_was_started_and_nothing_else() {
    let early = Play::new(job()).interrupted().end();
    assert_eq!(early, ended("interrupted", Left::Untouched));

    let sending = Play::uploading().interrupted();
    let sending = sending.answers([running(7, 5), Answer::Accepted]).cleaned_up();
    assert_eq!(sending.last_asked(4)[0], "Cancel(Handle(7))");
    assert_eq!(sending.end(), ended("interrupted", Left::OffInPart));

    let finished = Play::following().answer(running(7, 1000)).interrupted().answer(done(9)).end();
    assert_eq!(finished, ended("interrupted", Left::Written));

    let twice = Play::uploading().interrupted().interrupted().end();
    assert_eq!(twice, ended("interrupted", Left::Unknown));
}

#[test]
fn power_that_does_not_come_is_said() {
    let play = Play::following().answers([done(9), refused("set power state")]);
    let failure = "the image is written, but the node could not be powered on: the BMC refuses with status 500: set power state";
    assert_eq!(play.end(), ended(failure, Left::Written));
}
