use std::time::Duration;

use reqwest::StatusCode;

use super::*;
use crate::common::printable::Line;
use crate::provision::bmc::{BmcError, Done, Handle, Power, Running, Slot, StartRequest, Transfer, Usb};
use crate::provision::flash::failure::NodeState;

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
    Job { request, stall: 60 * SECOND, take_over: false, wait_for_board: Duration::ZERO }
}

fn running(id: u32, bytes_written: u64) -> Reply {
    Reply::Transfer(Transfer::Running(Running {
        id: Handle(id),
        process_name: "Node 1 os install service".to_owned(),
        size: LENGTH,
        cancelled: false,
        bytes_written,
    }))
}

fn done(seconds: u64) -> Reply {
    Reply::Transfer(Transfer::Done(Done { took: Duration::from_secs(seconds), size: LENGTH }))
}

fn said(text: &str) -> Reply {
    Reply::Transfer(Transfer::Failed(Line::new(text)))
}

fn ready() -> Reply {
    Reply::Transfer(Transfer::Ready)
}

fn refused(text: &str) -> Reply {
    Reply::Failed(BmcError::Refused { status: StatusCode::INTERNAL_SERVER_ERROR, said: Line::new(text) })
}

fn unreachable() -> Reply {
    Reply::Failed(BmcError::NoAnswer(30 * SECOND))
}

fn usb() -> Usb {
    Usb::host(Slot::ALL[1])
}

/// A flash, and the calls that it has made.
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

    /// Returns a flash that is uploading to an idle board.
    fn uploading() -> Self {
        Self::new(job()).reply(ready()).reply(Reply::Usb(usb())).reply(Reply::Started(OURS))
    }

    /// Returns a flash whose upload has arrived.
    fn following() -> Self {
        Self::uploading().reply(Reply::Accepted)
    }

    fn reply(mut self, reply: Reply) -> Self {
        self.note();
        self.at += SECOND;
        self.next = self.steps.next(self.at, reply);
        self
    }

    fn replies(self, replies: impl IntoIterator<Item = Reply>) -> Self {
        replies.into_iter().fold(self, Self::reply)
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

    /// Replies to the clean-up: nothing is running, and the node is off.
    fn cleaned_up(self) -> Self {
        self.replies([Reply::Accepted, Reply::Accepted, Reply::Power(Power::all(false))])
    }

    fn note(&mut self) {
        let Next::Call(call) = &self.next else { panic!("the flash has ended: {:?}", self.next) };
        self.asked.push(format!("{:?}", call.call));
    }

    /// Returns the result of a flash that has ended.
    fn end(self) -> (String, NodeState) {
        match self.next {
            Next::End(Ok(()), left) => ("success".to_owned(), left),
            Next::End(Err(failure), left) => (failure.to_string(), left),
            Next::Call(call) => panic!("the flash goes on: {call:?}"),
        }
    }

    fn last_asked(&self, count: usize) -> &[String] {
        &self.asked[self.asked.len() - count..]
    }
}

fn ended(text: &str, left: NodeState) -> (String, NodeState) {
    (text.to_owned(), left)
}

#[test]
fn a_flash_begins_with_reading_and_ends_with_power() {
    let play = Play::following()
        .replies([running(7, 400), running(7, 1000), running(7, 300), running(7, 1000), done(9)])
        .reply(Reply::Accepted);
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
    assert_eq!(play.end(), ended("success", NodeState::On));
}

#[test]
fn a_count_that_falls_means_that_the_bmc_reads_back() {
    let mut play = Play::following();
    let mut phases = Vec::new();
    // A BMC that decodes writes more bytes than were sent.
    for bytes in [500, 1000, 1800, 200, 1800] {
        play = play.reply(running(7, bytes));
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
fn the_success_of_an_earlier_flash_is_ignored() {
    let stale = || Play::new(job()).reply(done(9)).reply(Reply::Usb(usb())).reply(Reply::Started(OURS));
    let believed = stale().replies([Reply::Accepted, done(9), done(9), done(12), Reply::Accepted]);
    assert_eq!(believed.end(), ended("success", NodeState::On));
    let never = stale().replies([Reply::Accepted, done(9)]).after(60 * SECOND).replies([done(9), done(9)]);
    assert_eq!(
        never.cleaned_up().end(),
        ended("no progress for 60 s while the BMC was writing, after 0 bytes", NodeState::OffPartlyWritten)
    );
}

#[test]
fn a_success_of_another_length_is_ignored() {
    let other = Reply::Transfer(Transfer::Done(Done { took: SECOND, size: LENGTH + 1 }));
    let play = Play::following().reply(other);
    assert!(matches!(play.next, Next::Call(_)));
}

#[test]
fn an_old_error_is_ignored() {
    let play = Play::new(job()).reply(said("USB"));
    assert!(matches!(&play.next, Next::Call(call) if call.call == Call::Usb));
}

#[test]
fn a_running_transfer_is_left_alone() {
    let (failure, left) = Play::new(job()).reply(running(9, 10)).end();
    assert_eq!(
        failure,
        "another transfer is running on the board: `Node 1 os install service`, 10 of 1000 bytes"
    );
    assert_eq!(left, NodeState::Untouched);
}

#[test]
fn a_running_transfer_is_taken_over_on_request() {
    let take_over = || Play::new(Job { take_over: true, ..job() }).reply(running(9, 10));
    let play = take_over().replies([Reply::Accepted, running(9, 10), said("cancelled by user")]);
    assert_eq!(play.asked, ["Transfer", "Cancel(Handle(9))", "Transfer", "Transfer"]);
    assert!(matches!(&play.next, Next::Call(call) if call.call == Call::Usb));

    let stuck = take_over().reply(Reply::Accepted).after(60 * SECOND).reply(running(9, 10));
    assert_eq!(stuck.end().1, NodeState::Untouched);
}

#[test]
fn a_start_that_is_refused_touches_nothing() {
    let play = Play::new(job()).reply(ready()).reply(Reply::Usb(usb())).reply(refused("no such node"));
    assert_eq!(play.end(), ended("the BMC answers with status 500: no such node", NodeState::Untouched));
}

#[test]
fn a_start_without_an_answer_is_cleaned_up() {
    let start = || Play::new(job()).reply(ready()).reply(Reply::Usb(usb())).reply(unreachable());
    let failure = "the BMC did not confirm the start of the flash: the BMC accepts connections but has not answered for 30 s";
    let began = start().reply(running(3, 0)).reply(Reply::Accepted).cleaned_up();
    assert_eq!(began.last_asked(4)[0], "Cancel(Handle(3))");
    assert_eq!(began.end(), ended(failure, NodeState::OffUnwritten));
    let never_began = start().reply(ready()).cleaned_up();
    assert_eq!(never_began.end(), ended(failure, NodeState::OffUnwritten));
}

#[test]
fn a_module_that_is_not_found_is_switched_off() {
    let play = Play::uploading()
        .reply(refused("No supported USB devices found"))
        .replies([said("No supported USB devices found"), said("No supported USB devices found")])
        .cleaned_up();
    assert_eq!(play.last_asked(3), ["SetPower(false)", &format!("SetUsb({:?})", usb()), "Power"]);
    assert_eq!(play.end(), ended("the BMC reports: No supported USB devices found", NodeState::OffUnwritten));
}

#[test]
fn a_node_that_powers_on_again_is_switched_off_again() {
    let fail = || Play::following().replies([said("USB"), said("USB"), Reply::Accepted, Reply::Accepted]);
    let on = || Reply::Power(Power::all(true));
    let play = fail().reply(on()).cleaned_up();
    assert_eq!(play.end().1, NodeState::OffUnwritten);
    let round = || [on(), Reply::Accepted, Reply::Accepted];
    let stubborn = (0..5).fold(fail(), |play, _| play.replies(round())).reply(on());
    assert_eq!(stubborn.end().1, NodeState::Unknown);
}

#[test]
fn the_bmc_is_asked_why_an_upload_broke() {
    let broken = || Play::uploading().reply(unreachable());
    let why = broken().reply(said("sha256 checksum failed. Expected: a, got: b")).reply(ready()).cleaned_up();
    assert_eq!(
        why.end(),
        ended("the BMC reports: sha256 checksum failed. Expected: a, got: b", NodeState::OffPartlyWritten)
    );
    let silent = broken().replies([running(7, 5), running(7, 5), Reply::Accepted]).cleaned_up();
    assert_eq!(
        silent.end(),
        ended(
            "the upload failed, and the BMC reports no reason: the BMC accepts connections but has not answered for 30 s",
            NodeState::OffPartlyWritten
        )
    );
    let gone = broken().after(60 * SECOND).replies([unreachable(), unreachable()]);
    let gone = gone.after(60 * SECOND).reply(unreachable());
    assert_eq!(gone.end().1, NodeState::Unknown);
}

#[test]
fn errors_of_the_worker_are_passed_on() {
    for (text, left) in [
        ("Send timeout", NodeState::OffUnwritten),
        ("crc error. expected 1, calculated 2", NodeState::OffPartlyWritten),
        ("cancelled by user", NodeState::OffPartlyWritten),
    ] {
        let play = Play::following().replies([said(text), said(text)]).cleaned_up();
        assert_eq!(play.end(), ended(&format!("the BMC reports: {text}"), left));
    }
}

#[test]
fn a_transfer_that_never_ends_is_cancelled() {
    let play =
        Play::following().replies([running(7, 5), running(7, 6)]).after(60 * SECOND).reply(running(7, 6));
    let play = play.replies([running(7, 6), Reply::Accepted]).cleaned_up();
    assert_eq!(play.last_asked(4)[0], "Cancel(Handle(7))");
    assert_eq!(
        play.end(),
        ended("no progress for 60 s while the BMC was writing, after 6 bytes", NodeState::OffPartlyWritten)
    );
}

#[test]
fn a_short_outage_is_waited_out() {
    let play = Play::following().replies([running(7, 5), unreachable(), unreachable(), running(7, 9)]);
    assert_eq!(play.steps.phase(), Phase::Writing(9));
    let lost = Play::following().replies([running(7, 5)]).after(60 * SECOND).reply(unreachable());
    let lost = lost.reply(ready()).cleaned_up();
    assert_eq!(
        lost.end(),
        ended(
            "the BMC has not answered for 60 s: the BMC accepts connections but has not answered for 30 s",
            NodeState::OffPartlyWritten
        )
    );
}

#[test]
fn lost_answers_are_asked_for_again() {
    let play = Play::new(job()).replies([unreachable(), ready(), unreachable(), Reply::Usb(usb())]);
    assert_eq!(play.asked, ["Transfer", "Transfer", "Usb", "Usb"]);
    let play = Play::following().replies([done(9), unreachable(), Reply::Accepted]);
    assert_eq!(play.end(), ended("success", NodeState::On));
    let gone = Play::new(job()).after(60 * SECOND).reply(unreachable());
    assert_eq!(
        gone.end(),
        ended("the BMC accepts connections but has not answered for 30 s", NodeState::Untouched)
    );
}

fn expired() -> Reply {
    Reply::Failed(BmcError::LoginExpired)
}

fn login_refused() -> Reply {
    let said = Line::new("credentials incorrect");
    Reply::Failed(BmcError::LoginRefused { user: "root".to_owned(), said })
}

#[test]
fn a_restarted_daemon_is_logged_into_again_and_the_node_cleaned_up() {
    let failure = "bmcd restarted during the flash and lost the transfer";
    let following = Play::following().replies([running(7, 5), expired(), Reply::Accepted, ready(), ready()]);
    assert_eq!(following.last_asked(4)[..2], ["Transfer", "LogIn"]);
    assert_eq!(following.cleaned_up().end(), ended(failure, NodeState::OffPartlyWritten));

    let uploading = Play::uploading().replies([expired(), Reply::Accepted, ready()]).cleaned_up();
    assert_eq!(uploading.end(), ended(failure, NodeState::OffPartlyWritten));

    let cleaning_up = Play::following()
        .replies([said("crc error. expected 1, calculated 2"), expired(), Reply::Accepted, ready()])
        .cleaned_up();
    assert_eq!(
        cleaning_up.end(),
        ended("the BMC reports: crc error. expected 1, calculated 2", NodeState::OffPartlyWritten)
    );

    let powering_on = Play::following().replies([done(9), expired(), Reply::Accepted, Reply::Accepted]);
    assert_eq!(powering_on.end(), ended("success", NodeState::On));
}

#[test]
fn a_login_that_expires_before_the_start_is_renewed() {
    let play = Play::new(job()).replies([expired(), Reply::Accepted, ready(), Reply::Usb(usb()), expired()]);
    let play = play.replies([Reply::Accepted, Reply::Started(OURS)]);
    assert_eq!(play.asked, ["Transfer", "LogIn", "Transfer", "Usb", "Start", "LogIn", "Start"]);
}

#[test]
fn a_login_that_is_refused_is_not_repeated() {
    let refused = Play::following().replies([running(7, 5), expired(), login_refused()]).end();
    let failure = "the BMC refuses to log in `root`: credentials incorrect";
    assert_eq!(refused, ended(failure, NodeState::Unknown));
    let always = || [expired(), Reply::Accepted];
    let expiring = Play::new(job()).replies(always()).replies(always()).replies(always()).reply(expired());
    assert_eq!(expiring.end(), ended("the BMC no longer accepts this login", NodeState::Untouched));
}

#[test]
fn a_daemon_that_is_away_is_logged_into_when_it_is_back() {
    let play = Play::following().replies([unreachable(), expired(), unreachable(), Reply::Accepted]);
    assert_eq!(play.last_asked(4), ["Transfer", "Transfer", "LogIn", "LogIn"]);
    let gone = Play::following().replies([expired()]).after(60 * SECOND).reply(unreachable()).end();
    assert_eq!(gone.1, NodeState::Unknown);
    let interrupted = Play::following().replies([expired()]).interrupted();
    assert_eq!(
        interrupted.replies([ready()]).cleaned_up().end(),
        ended("interrupted", NodeState::OffPartlyWritten)
    );
}

#[test]
fn a_cancellation_is_not_the_cause_of_a_broken_upload() {
    let broken = Play::uploading()
        .reply(unreachable())
        .replies([said("cancelled by user"), said("cancelled by user")])
        .cleaned_up();
    let failure = "the upload failed, and the BMC reports no reason: the BMC accepts connections but has not \
                   answered for 30 s";
    assert_eq!(broken.end(), ended(failure, NodeState::OffPartlyWritten));
    let stalled = Play::uploading().reply(Reply::UploadStalled(60 * SECOND));
    assert_eq!(
        stalled.replies([said("cancelled by user"), said("cancelled by user")]).cleaned_up().end(),
        ended("the BMC has not taken any byte of the upload for 60 s", NodeState::OffPartlyWritten)
    );
}

#[test]
fn a_board_that_is_busy_is_waited_for_on_request() {
    let waiting =
        || Play::new(Job { wait_for_board: 10 * SECOND, ..job() }).replies([running(9, 10), running(9, 20)]);
    assert_eq!(waiting().steps.phase(), Phase::WaitingForBoard);
    assert_eq!(
        waiting().replies([done(9), Reply::Usb(usb())]).asked,
        ["Transfer", "Transfer", "Transfer", "Usb"]
    );
    let busy = waiting().after(10 * SECOND).reply(running(9, 30)).end();
    assert_eq!(busy.1, NodeState::Untouched);
    let locked =
        Play::new(Job { wait_for_board: 90 * SECOND, ..job() }).after(70 * SECOND).reply(unreachable());
    assert!(matches!(locked.next, Next::Call(_)));
}

#[test]
fn a_start_whose_answer_is_not_understood_may_have_begun() {
    let unparsable = Reply::Failed(BmcError::Unparsable { said: Line::new("<html>") });
    let play = Play::new(job()).replies([ready(), Reply::Usb(usb()), unparsable, ready()]).cleaned_up();
    assert_eq!(
        play.end(),
        ended(
            "the BMC did not confirm the start of the flash: cannot parse the BMC's answer: <html>",
            NodeState::OffUnwritten
        )
    );
}

#[test]
fn a_transfer_of_another_client_is_left_alone() {
    let taken = Play::following().replies([running(7, 5), running(8, 0)]).end();
    assert_eq!(taken.1, NodeState::InUseByAnother);
    let meanwhile = Play::uploading().reply(refused("transfer canceled")).reply(running(8, 0)).end();
    assert_eq!(meanwhile.1, NodeState::InUseByAnother);
}

#[test]
fn an_interruption_cancels_only_what_was_started() {
    let early = Play::new(job()).interrupted().end();
    assert_eq!(early, ended("interrupted", NodeState::Untouched));

    let sending = Play::uploading().interrupted();
    let sending = sending.replies([running(7, 5), Reply::Accepted]).cleaned_up();
    assert_eq!(sending.last_asked(4)[0], "Cancel(Handle(7))");
    assert_eq!(sending.end(), ended("interrupted", NodeState::OffPartlyWritten));

    let finished = Play::following().reply(running(7, 1000)).interrupted().reply(done(9)).end();
    assert_eq!(finished, ended("interrupted", NodeState::Written));

    let twice = Play::uploading().interrupted().interrupted().end();
    assert_eq!(twice, ended("interrupted", NodeState::Unknown));
}

#[test]
fn a_failure_to_power_on_is_reported() {
    let play = Play::following().replies([done(9), refused("set power state")]);
    let failure = "the image is written, but the node could not be powered on: the BMC answers with status 500: set power state";
    assert_eq!(play.end(), ended(failure, NodeState::Written));
}
