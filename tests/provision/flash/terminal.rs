//! A flash on a terminal: progress bars, a hidden password and a question.

use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::board::{Board, PASSWORD};
use crate::course::Course;
use crate::course::State::{Done, Transferring};
use crate::project::Scene;
use crate::requirement::skipped;

/// Runs a shell line with `rk1` as `$RK1` on a terminal, types each answer when its question appears, and returns what
/// the terminal showed.
fn converse(scene: &Scene, line: &str, answers: &[(&str, &str)]) -> (Output, String) {
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--flush", "--command", line, "/dev/null"]);
    command.current_dir(scene.folder.path()).stdin(Stdio::piped());
    command.env("RK1", env!("CARGO_BIN_EXE_rk1")).env("TERM", "xterm").env("NO_COLOR", "1");
    command.env_remove("RK1_BMC_PASSWORD").env("SHELL", "/bin/sh");
    let mut child = scene.spawn(&mut command);
    let (mut input, mut output) = (child.stdin.take().expect("input"), child.stdout.take().expect("output"));
    let shown = Arc::new(Mutex::new(String::new()));
    let reader = {
        let shown = shown.clone();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
                shown.lock().expect("a lock").push_str(&text);
            }
        })
    };
    for (question, answer) in answers {
        let began = Instant::now();
        while !shown.lock().expect("a lock").contains(question) {
            assert!(began.elapsed() < Duration::from_mins(2), "no {question:?}: {:?}", shown.lock());
            thread::sleep(Duration::from_millis(20));
        }
        // The terminal stops echoing a moment after the question appears.
        thread::sleep(Duration::from_millis(500));
        input.write_all(answer.as_bytes()).expect("an answer");
    }
    let output = child.wait_with_output().expect("it ends");
    reader.join().expect("all was read");
    let shown = shown.lock().expect("a lock").clone();
    (output, shown)
}

fn scene(test: &str, board: Board) -> Option<Scene> {
    if Command::new("script").arg("--version").output().is_err() {
        skipped(test, "`script` is not installed");
        return None;
    }
    Scene::new(test, board)
}

#[test]
fn the_password_is_hidden_and_the_bars_move() {
    let test = "the_password_is_hidden_and_the_bars_move";
    let board = Board::new([Course::after([Transferring(500), Transferring(250), Done])]).with_power(0);
    let Some(scene) = scene(test, board) else { return };
    let password = format!("{PASSWORD}\n");
    let answers =
        [("rk1-01: password of `root` on the BMC at 172.16.10.220: ", password.as_str()), ("[y/N] ", "y\n")];
    let (output, shown) = converse(&scene, "$RK1 flash rk1-01", &answers);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(!shown.contains(PASSWORD), "{shown}");
    for seen in [
        "rk1-01: inspecting the image",
        "rk1-01: the node is in use: its SSH server answers at 172.16.10.221. Overwrite its eMMC? [y/N] ",
        "rk1-01: the BMC is writing [",
        "] 18.00 MiB of 36.00 MiB, ",
        "rk1-01: the BMC is reading back [",
        "] 9.00 MiB of 36.00 MiB, ",
        "1 node flashed",
    ] {
        assert!(shown.contains(seen), "no {seen:?} in {shown}");
    }
    // With NO_COLOR the bars move the cursor, and nothing is coloured.
    assert!(!shown.contains("\u{1b}[3"), "{shown:?}");
}

#[test]
fn an_empty_answer_means_no() {
    let test = "an_empty_answer_means_no";
    let Some(scene) = scene(test, Board::new([Course::successful()]).with_power(0)) else { return };
    let line = format!("RK1_BMC_PASSWORD={PASSWORD} $RK1 flash rk1-01");
    let (output, shown) = converse(&scene, &line, &[("[y/N] ", "\n")]);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("error: rk1-01: not overwritten"), "{shown}");
    assert!(scene.bmc.board().power[0], "the node is still on");
}

#[test]
fn an_interrupted_question_restores_the_terminal() {
    let test = "an_interrupted_question_restores_the_terminal";
    let Some(scene) = scene(test, Board::new([Course::successful()])) else { return };
    let line = "$RK1 flash rk1-01; echo ended with $?; stty -a";
    let (_, shown) = converse(&scene, line, &[("on the BMC at 172.16.10.220: ", "\u{3}")]);
    assert!(shown.contains("error: rk1-01: interrupted"), "{shown}");
    assert!(shown.contains("ended with 130"), "{shown}");
    assert!(shown.contains(" echo ") && !shown.contains(" -echo "), "{shown}");
}
