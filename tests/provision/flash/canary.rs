//! Only the BMC sees the secrets: no log, process list or file does.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

use crate::board::{Board, PASSWORD};
use crate::course::Course;
use crate::course::State::Done;
use crate::image::SIZE;
use crate::project::{CANARY, Scene, flash};

fn holds(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

/// Returns the files below a folder that contain the word, except the secrets themselves.
fn files_with(folder: &Path, word: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let is_link = entry.symlink_metadata().expect("metadata").is_symlink();
        if entry.is_dir() && !is_link && entry.file_name().is_some_and(|name| name != "secrets") {
            found.extend(files_with(&entry, word));
        } else if entry.is_file() && holds(&fs::read(&entry).expect("a file"), word) {
            found.push(entry);
        }
    }
    found
}

/// Returns the open files of a process that contain the word, including those without a name.
fn open_files_with(process: u32, word: &str) -> Vec<PathBuf> {
    let descriptors = fs::read_dir(format!("/proc/{process}/fd")).expect("descriptors");
    let paths = descriptors.map(|entry| entry.expect("an entry").path());
    let is_file = |path: &PathBuf| fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    paths.filter(is_file).filter(|path| holds(&fs::read(path).unwrap_or_default(), word)).collect()
}

#[test]
fn only_the_bmc_sees_the_seed() {
    let test = "only_the_bmc_sees_the_seed";
    let mut board = Board::new([Course::after([Done])]);
    (board.holds, board.watches_for) = (true, Some(CANARY));
    let Some(scene) = Scene::new(test, board) else { return };
    let temporary = tempfile::tempdir().expect("temporary folder");
    let nothing: Vec<PathBuf> = Vec::new();
    let look = |scene: &Scene, word: &str| {
        assert_eq!(files_with(scene.folder.path(), word), nothing);
        assert_eq!(files_with(temporary.path(), word), nothing);
    };
    let start = || {
        let mut command = flash(scene.folder.path(), &["rk1-01", "--take-over"]);
        scene.spawn(command.env("TMPDIR", temporary.path()).env("RUST_LOG", "trace"))
    };

    // The whole image was sent, and is not answered yet.
    let child = start();
    scene.bmc.wait_until("the upload", |board| board.received == SIZE);
    assert!(scene.bmc.board().has_seen, "the secrets are in what was sent");
    for word in [CANARY, PASSWORD] {
        let arguments = fs::read(format!("/proc/{}/cmdline", child.id())).expect("arguments");
        assert!(!holds(&arguments, word));
        look(&scene, word);
        assert_eq!(open_files_with(child.id(), word), nothing);
    }

    // A killed process leaves nothing behind.
    kill_process(Pid::from_child(&child), Signal::KILL).expect("it runs");
    let output = child.wait_with_output().expect("it ends");
    for said in [&output.stdout, &output.stderr] {
        assert!(!holds(said, CANARY) && !holds(said, PASSWORD));
    }
    look(&scene, CANARY);

    // The next flash succeeds.
    scene.bmc.board().holds = false;
    let output = start().wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    assert!(!holds(&output.stderr, CANARY) && !holds(&output.stderr, PASSWORD), "{stderr}");
    look(&scene, CANARY);
    let left: Vec<_> = fs::read_dir(temporary.path()).expect("temporary folder").collect();
    assert!(left.is_empty(), "{left:?}");
}
