//! The memory of a flash does not depend on the size of the image.

use std::fs;
use std::process::Command;

use crate::board::Board;
use crate::course::Course;
use crate::course::State::Done;
use crate::image;
use crate::project::{Scene, flash};

const SIZE: u64 = 2 << 30;
/// The memory limit in kilobytes.
const LIMIT: u64 = 64 * 1024;

/// Returns the largest amount of memory that a process has used, in kilobytes.
fn peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("its status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn two_gibibytes_take_less_than_64_mebibytes() {
    let mut board = Board::new([Course::after([Done])]);
    board.holds = true;
    let Some(scene) = Scene::new("two_gibibytes_take_less_than_64_mebibytes", board) else { return };
    let packed = image::built().join("rk1-01.img.xz");
    let large = scene.folder.path().join("large.img");
    let unpacked = Command::new("xz").args(["--decompress", "--stdout"]).arg(packed).output().expect("xz");
    fs::write(&large, unpacked.stdout).expect("an image");
    fs::File::options().write(true).open(&large).and_then(|file| file.set_len(SIZE)).expect("a sparse file");

    let child = scene.spawn(&mut flash(scene.folder.path(), &["rk1-01", "--image", "large.img"]));
    scene.bmc.wait_until("the upload", |board| board.received == SIZE);
    let peak = peak(child.id());
    scene.bmc.board().holds = false;
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(peak < LIMIT, "{peak} kB");
    println!("peak of {peak} kB for {SIZE} bytes");
}
