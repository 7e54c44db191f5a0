//! Ctrl-C at each stage: the flash ends and reports the state of the node.

use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use crate::board::Board;
use crate::course::Course;
use crate::course::State::{Done, Transferring};
use crate::image::SIZE;
use crate::project::{Scene, flash};

fn send(child: &Child, signal: Signal) {
    let id = Pid::from_child(child);
    kill_process(id, signal).expect("rk1 runs");
}

/// Flashes the first node, and sends a signal when the board is in a state.
#[track_caller]
fn interrupt(name: &str, board: Board, signal: Signal, is_reached: impl Fn(&Board) -> bool) {
    let Some(scene) = Scene::new(name, board) else { return };
    let child = scene.spawn(&mut flash(scene.folder.path(), &["rk1-01"]));
    scene.bmc.wait_until("the stage of the interruption", is_reached);
    send(&child, signal);
    let output = child.wait_with_output().expect("it ends");
    scene.bmc.board().holds = false;
    scene.assert_seen(name, &output);
}

fn holding() -> Board {
    let mut board = Board::new([Course::after([Done])]);
    board.holds = true;
    board
}

#[test]
fn interrupted_while_sending() {
    interrupt("interrupted-sending", holding(), Signal::INT, |board| board.received == SIZE);
    interrupt("terminated-sending", holding(), Signal::TERM, |board| board.received == SIZE);
}

#[test]
fn interrupted_while_the_bmc_writes() {
    let board = Board::new([Course::after([Transferring(500)])]);
    interrupt("interrupted-writing", board, Signal::INT, |board| board.polls > 1);
}

#[test]
fn interrupted_while_the_node_boots() {
    let mut board = Board::new([Course::after([Done])]);
    board.never_boots = true;
    interrupt("interrupted-booting", board, Signal::INT, |board| board.knocks > 0);
}

#[test]
fn interrupted_while_the_bmc_does_not_answer() {
    let mut board = Board::new([Course::successful()]);
    board.is_mute = true;
    interrupt("interrupted-connecting", board, Signal::INT, |board| board.connections > 0);
}

#[test]
fn a_second_interruption_ends_the_clean_up() {
    let name = "interrupted-twice";
    let Some(scene) = Scene::new(name, holding()) else { return };
    let child = scene.spawn(&mut flash(scene.folder.path(), &["rk1-01"]));
    scene.bmc.wait_until("the upload", |board| board.received == SIZE);
    scene.bmc.board().is_mute = true;
    send(&child, Signal::INT);
    scene.bmc.wait_until("the clean-up", |board| board.ignored > 0);
    send(&child, Signal::INT);
    let output = child.wait_with_output().expect("it ends");
    scene.bmc.board().holds = false;
    scene.assert_seen(name, &output);
}
