//! The screens of a flash for each answer of a BMC.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::fs::inotify;

use crate::board::Board;
use crate::course::State::{Away, Done, Error, Other, Restarted, Stale, Transferring};
use crate::course::{Course, Upload};
use crate::project::{Scene, flash};
use crate::server::Certificate;

const MEBIBYTE: u64 = 1 << 20;

/// Flashes the first node on a board on which a flash takes this course.
#[track_caller]
fn play(name: &str, course: Course, arguments: &[&str]) {
    let Some(scene) = Scene::going(name, course) else { return };
    let output = scene.flash(&[&["rk1-01"], arguments].concat());
    scene.assert_seen(name, &output);
}

#[test]
fn a_flash_succeeds() {
    play("successful", Course::successful(), &[]);
}

#[test]
fn two_nodes_are_flashed_one_after_the_other() {
    let Some(scene) = Scene::going("two-nodes", Course::after([Done])) else { return };
    let output = scene.flash(&["rk1-01", "rk1-02"]);
    scene.assert_seen("two-nodes", &output);
}

/// How often a file was closed since `watch` began, without being changed.
fn times_read(watch: impl AsFd) -> usize {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut events = inotify::Reader::new(watch, &mut buffer);
    let mut times = 0;
    while events.next().is_ok() {
        times += 1;
    }
    times
}

#[test]
fn the_next_image_is_read_during_a_flash() {
    let pause = Duration::from_mins(1);
    let course = Course { upload: Upload::Pauses(1000, pause), ..Course::successful() };
    let Some(scene) = Scene::going("next-image", course) else { return };
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK).expect("inotify");
    let image = scene.folder.path().join("result/rk1-02.img.xz");
    inotify::add_watch(&watch, &image, inotify::WatchFlags::CLOSE_NOWRITE).expect("a watch");
    let mut command = scene.spawn(&mut flash(scene.folder.path(), &["rk1-01", "rk1-02"]));
    let begun = Instant::now();
    let mut times = 0;
    // Once to inspect it, once to hash it.
    while times < 2 && begun.elapsed() < pause && command.try_wait().expect("a process").is_none() {
        times += times_read(&watch);
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(times >= 2, "the image was read {times} times");
    assert!(!scene.bmc.board().runs(0), "the first node is flashed already");
    command.kill().expect("a process");
    command.wait().expect("a process");
}

#[test]
fn a_failure_ends_the_command() {
    let board =
        Board::new([Course::after([Error("crc error. expected 1, calculated 2")]), Course::successful()]);
    let Some(scene) = Scene::new("first-of-two-fails", board) else { return };
    let output = scene.flash(&["rk1-01", "rk1-02"]);
    scene.assert_seen("first-of-two-fails", &output);
}

#[test]
fn the_start_is_refused() {
    let course =
        Course { start: Some("Parameter `node` is out of range 0..3 of node IDs"), ..Course::successful() };
    play("start-refused", course, &[]);
}

#[test]
fn the_success_of_an_earlier_flash_is_ignored() {
    let board =
        Board::new([Course::after([Stale, Stale, Transferring(500), Done])]).left_with(Board::stale());
    let Some(scene) = Scene::new("stale-done", board) else { return };
    let output = scene.flash(&["rk1-01"]);
    scene.assert_seen("stale-done", &output);
}

#[test]
fn the_success_of_an_earlier_flash_stays() {
    let board = Board::new([Course::after([Stale])]).left_with(Board::stale());
    let Some(scene) = Scene::new("stale-for-ever", board) else { return };
    let output = scene.flash(&["rk1-01", "--stall", "10s"]);
    scene.assert_seen("stale-for-ever", &output);
}

#[test]
fn an_upload_comes_too_late() {
    play("send-timeout", Course::upload(Upload::TooLate, Error("Send timeout")), &[]);
}

#[test]
fn more_bytes_are_written_than_were_sent() {
    let after = [Transferring(900), Transferring(1900), Transferring(100), Transferring(1900), Done];
    play("over-100-percent", Course::after(after), &[]);
}

#[test]
fn a_closed_upload_has_a_reason() {
    let course = Course::upload(Upload::Reset(MEBIBYTE), Error("Error loading USB device: timed out"));
    play("reset-with-reason", course, &[]);
}

#[test]
fn a_closed_upload_has_no_reason() {
    // bmcd cancels its transfer whenever an upload breaks.
    play("reset-without-reason", Course::upload(Upload::Reset(MEBIBYTE), Error("cancelled by user")), &[]);
}

/// Plays a flash that is answered before the upload has ended, and checks that the answer ends it at once.
#[track_caller]
fn play_early(name: &str, course: Course) {
    let began = Instant::now();
    play(name, course, &[]);
    assert!(began.elapsed() < Duration::from_secs(25), "it took {:?}", began.elapsed());
}

#[test]
fn the_module_is_not_found_and_stays_on() {
    let reason = "Compute module's USB interface not found or supported";
    let course = Course::upload(Upload::Refuses(MEBIBYTE, reason), Error(reason));
    play_early("usb-not-found", Course { stays_on: true, ..course });
}

#[test]
fn the_image_is_larger_than_the_emmc() {
    let reason = "No space left on device (os error 28)";
    play_early("no-space", Course::upload(Upload::Refuses(MEBIBYTE, reason), Error(reason)));
}

/// By default reqwest lets the kernel end an upload on which nothing moves for 30 s.
#[test]
fn a_pause_that_is_shorter_than_stall_is_waited_out() {
    let pause = Upload::Pauses(MEBIBYTE, Duration::from_secs(35));
    play("upload-pauses", Course { upload: pause, ..Course::after([Done]) }, &["--stall", "60s"]);
}

#[test]
fn the_digest_differs() {
    play("sha256", Course::after([Error("sha256 checksum failed. Expected: 12, got: 34")]), &[]);
}

#[test]
fn the_checksum_of_the_emmc_differs() {
    play("crc", Course::after([Transferring(1000), Error("crc error. expected 12, calculated 34")]), &[]);
}

#[test]
fn a_transfer_never_ends() {
    play("never-ends", Course::after([Transferring(700)]), &["--stall", "10s"]);
}

#[test]
fn an_upload_stalls() {
    play(
        "upload-stalls",
        Course::upload(Upload::Stalls(MEBIBYTE), Error("cancelled by user")),
        &["--stall", "10s"],
    );
}

/// The state of a BMC that is writing to the third node.
fn running() -> serde_json::Value {
    serde_json::json!({ "Transferring": { "id": 5, "process_name": "Node 3 os install service",
        "size": 1000, "cancelled": false, "bytes_written": 400 } })
}

#[test]
fn another_transfer_is_running() {
    let board = || Board::new([Course::after([Done])]).left_with(running());
    let Some(scene) = Scene::new("busy", board()) else { return };
    scene.assert_seen("busy", &scene.flash(&["rk1-01"]));
    let Some(scene) = Scene::new("take-over", board()) else { return };
    scene.assert_seen("take-over", &scene.flash(&["rk1-01", "--take-over"]));
}

#[test]
fn another_transfer_replaces_this_one() {
    play("taken-over", Course::after([Transferring(500), Other]), &[]);
}

#[test]
fn the_daemon_is_away_for_a_while() {
    let away = Away(Duration::from_secs(3));
    play("away", Course::after([Transferring(500), away, Transferring(1000), Done]), &[]);
}

#[test]
fn the_daemon_restarts_during_the_flash() {
    let away = Duration::from_secs(2);
    play("restarted", Course::after([Transferring(500), Restarted(away)]), &[]);
    let crash = Upload::Crash(MEBIBYTE, away);
    play("restarted-in-upload", Course { upload: crash, ..Course::successful() }, &[]);
}

/// A board that is receiving the upload of another client.
fn locked() -> Board {
    let mut board = Board::new([Course::after([Done])]);
    board.is_locked = true;
    board
}

#[test]
fn the_board_is_receiving_another_upload() {
    let Some(scene) = Scene::new("locked", locked()) else { return };
    scene.assert_seen("locked", &scene.flash(&["rk1-01"]));
}

#[test]
fn another_upload_is_waited_for_on_request() {
    let Some(scene) = Scene::new("locked-waiting", locked()) else { return };
    let mut command = crate::project::flash(scene.folder.path(), &["rk1-01", "--wait-for-board", "10m"]);
    let child = scene.spawn(&mut command);
    // First sight, the first login, and the second one after the time limit of the first.
    scene.bmc.wait_until("a second login", |board| board.connections > 2);
    scene.bmc.board().is_locked = false;
    scene.assert_seen("locked-waiting", &child.wait_with_output().expect("it ends"));
}

#[test]
fn another_transfer_is_waited_for_on_request() {
    let board = Board::new([Course::after([Done])]).left_with(running());
    let Some(scene) = Scene::new("busy-waiting", board) else { return };
    let mut command = crate::project::flash(scene.folder.path(), &["rk1-01", "--wait-for-board", "10m"]);
    let child = scene.spawn(&mut command);
    scene.bmc.wait_until("a look at the transfer", |board| {
        board.log.iter().any(|line| line.ends_with("opt=get&type=flash"))
    });
    std::thread::sleep(Duration::from_secs(2));
    scene.bmc.board().set_transfer(Board::stale());
    scene.assert_seen("busy-waiting", &child.wait_with_output().expect("it ends"));
}

#[test]
fn no_daemon_listens() {
    let away = Course::successful();
    let mut board = Board::new([away]);
    board.away = Some(Instant::now() + Duration::from_hours(1));
    let Some(scene) = Scene::new("unreachable", board) else { return };
    scene.assert_seen("unreachable", &scene.flash(&["rk1-01"]));
}

#[test]
fn a_wrong_password_is_tried_once() {
    let Some(scene) = Scene::going("wrong-password", Course::successful()) else { return };
    let mut command = crate::project::flash(scene.folder.path(), &["rk1-01"]);
    let output = scene.run(command.env("RK1_BMC_PASSWORD", "never-printed"));
    scene.assert_seen("wrong-password", &output);
}

#[test]
fn a_banned_client_is_told_to_wait() {
    let Some(scene) = Scene::new("banned", Board::new([Course::successful()]).after_failures(5)) else {
        return;
    };
    scene.assert_seen("banned", &scene.flash(&["rk1-01"]));
    // The fifth failure bans. After three, one run with a wrong password is only the fourth.
    let board = Board::new([Course::successful()]).after_failures(3);
    let Some(scene) = Scene::new("nearly-banned", board) else { return };
    let mut command = crate::project::flash(scene.folder.path(), &["rk1-01"]);
    scene.run(command.env("RK1_BMC_PASSWORD", "never-printed"));
    let output = scene.flash(&["rk1-01"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn another_certificate_is_refused() {
    let Some(scene) = Scene::going("other-certificate", Course::successful()) else { return };
    let other = rk1::common::certificate::Fingerprint::of(&Certificate::new().certificate);
    let pins = scene.folder.path().join("bmc.pins");
    std::fs::write(&pins, format!("172.16.10.220 {other}\n")).expect("pins");
    let output = scene.flash(&["rk1-01"]);
    scene.assert_seen("other-certificate", &output);
    assert_eq!(std::fs::read_to_string(&pins).expect("pins"), format!("172.16.10.220 {other}\n"));
}

#[test]
fn a_node_in_use_is_not_overwritten_without_consent() {
    let board = || Board::new([Course::after([Done])]).with_power(0);
    let Some(scene) = Scene::new("in-use", board()) else { return };
    scene.assert_seen("in-use", &scene.flash(&["rk1-01"]));
    let Some(scene) = Scene::new("in-use-yes", board()) else { return };
    scene.assert_seen("in-use-yes", &scene.flash(&["rk1-01", "--yes"]));
}

#[test]
fn the_image_is_truncated_after_hashing() {
    let mut board = Board::new([Course::upload(Upload::Takes, Transferring(0))]);
    board.is_mute = true;
    let Some(scene) = Scene::new("image-changes", board) else { return };
    let image = scene.folder.path().join("changing.img.xz");
    std::fs::copy(crate::image::built().join("rk1-01.img.xz"), &image).expect("an image");
    let mut command = crate::project::flash(scene.folder.path(), &["rk1-01", "--image", "changing.img.xz"]);
    let child = scene.spawn(&mut command);
    // The image has been hashed, and will be read again.
    scene.bmc.wait_until("a connection", |board| board.connections > 0);
    let half = std::fs::metadata(&image).expect("the image").len() / 2;
    std::fs::File::options()
        .write(true)
        .open(&image)
        .and_then(|file| file.set_len(half))
        .expect("half of it");
    scene.bmc.board().is_mute = false;
    let output = child.wait_with_output().expect("it ends");
    scene.assert_seen("image-changes", &output);
}

#[test]
fn a_raw_image_is_changed_after_hashing() {
    let mut board = Board::new([Course::upload(Upload::Takes, Transferring(0))]);
    board.is_mute = true;
    let Some(scene) = Scene::new("image-differs", board) else { return };
    let packed = crate::image::built().join("rk1-01.img.xz");
    let unpacked =
        std::process::Command::new("xz").args(["--decompress", "--stdout"]).arg(packed).output().expect("xz");
    let image = scene.folder.path().join("changing.img");
    std::fs::write(&image, unpacked.stdout).expect("an image");
    let mut command = crate::project::flash(scene.folder.path(), &["rk1-01", "--image", "changing.img"]);
    let child = scene.spawn(&mut command);
    scene.bmc.wait_until("a connection", |board| board.connections > 0);
    let file = std::fs::File::options().write(true).open(&image).expect("the image");
    std::os::unix::fs::FileExt::write_all_at(&file, b"changed", crate::image::SIZE - 100).expect("a change");
    scene.bmc.board().is_mute = false;
    scene.assert_seen("image-differs", &child.wait_with_output().expect("it ends"));
}

#[test]
fn a_node_does_not_boot() {
    let Some(scene) = Scene::going("no-ssh", Course::after([Done])) else { return };
    // No SSH server listens at this address.
    let text = include_str!("../../config/check/base.toml").replace("172.16.10.221/24", "172.16.10.231/24");
    std::fs::write(scene.folder.path().join("cluster.toml"), text).expect("cluster.toml");
    scene.assert_seen("no-ssh", &scene.flash(&["rk1-01", "--wait", "2s"]));
}
