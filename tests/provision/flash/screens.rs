//! Each answer of a BMC, the ugly ones above all.

use std::time::Duration;

use crate::board::Board;
use crate::course::State::{Away, Done, Error, Other, Ready, Restarted, Stale, Transferring};
use crate::course::{Course, Upload};
use crate::project::Scene;
use crate::server::Certificate;

const MEBIBYTE: u64 = 1 << 20;

/// Flashes the first node on a board where a flash goes like this.
#[track_caller]
fn play(name: &str, course: Course, arguments: &[&str]) {
    let Some(scene) = Scene::going(name, course) else { return };
    let output = scene.flash(&[&["rk1-01"], arguments].concat());
    scene.assert_seen(name, &output);
}

#[test]
fn all_goes_well() {
    play("well", Course::well(), &[]);
}

#[test]
fn two_nodes_one_after_the_other() {
    let Some(scene) = Scene::going("two-nodes", Course::after([Done])) else { return };
    let output = scene.flash(&["rk1-01", "rk1-02"]);
    scene.assert_seen("two-nodes", &output);
}

#[test]
fn the_first_failure_is_the_last_flash() {
    let board = Board::new([Course::after([Error("crc error. expected 1, calculated 2")]), Course::well()]);
    let Some(scene) = Scene::new("first-of-two-fails", board) else { return };
    let output = scene.flash(&["rk1-01", "rk1-02"]);
    scene.assert_seen("first-of-two-fails", &output);
}

#[test]
fn a_start_is_refused_in_plain_text() {
    let course =
        Course { start: Some("Parameter `node` is out of range 0..3 of node IDs"), ..Course::well() };
    play("start-refused", course, &[]);
}

#[test]
fn a_stale_success_is_not_believed() {
    let board =
        Board::new([Course::after([Stale, Stale, Transferring(500), Done])]).left_with(Board::stale());
    let Some(scene) = Scene::new("stale-done", board) else { return };
    let output = scene.flash(&["rk1-01"]);
    scene.assert_seen("stale-done", &output);
}

#[test]
fn a_success_that_stays_stale_is_none() {
    let board = Board::new([Course::after([Stale])]).left_with(Board::stale());
    let Some(scene) = Scene::new("stale-for-ever", board) else { return };
    let output = scene.flash(&["rk1-01", "--stall", "10"]);
    scene.assert_seen("stale-for-ever", &output);
}

#[test]
fn an_upload_that_comes_too_late() {
    play("send-timeout", Course::upload(Upload::TooLate, Error("Send timeout")), &[]);
}

#[test]
fn more_is_written_than_was_sent_and_read_back_from_the_start() {
    let after = [Transferring(900), Transferring(1900), Transferring(100), Transferring(1900), Done];
    play("over-100-percent", Course::after(after), &[]);
}

#[test]
fn a_reset_amid_the_upload_has_a_reason() {
    let course = Course::upload(Upload::Reset(MEBIBYTE), Error("Error loading USB device: timed out"));
    play("reset-with-reason", course, &[]);
}

#[test]
fn a_reset_amid_the_upload_has_none() {
    play("reset-without-reason", Course::upload(Upload::Reset(MEBIBYTE), Transferring(20)), &[]);
}

#[test]
fn the_module_is_not_found_and_stays_on() {
    let reason = "Compute module's USB interface not found or supported";
    let course = Course::upload(Upload::Refuses(MEBIBYTE, reason), Error(reason));
    play("usb-not-found", Course { stays_on: true, ..course }, &[]);
}

#[test]
fn the_hash_differs() {
    play("sha256", Course::after([Error("sha256 checksum failed. Expected: 12, got: 34")]), &[]);
}

#[test]
fn what_is_read_back_differs() {
    play("crc", Course::after([Transferring(1000), Error("crc error. expected 12, calculated 34")]), &[]);
}

#[test]
fn a_transfer_that_never_ends() {
    play("never-ends", Course::after([Transferring(700)]), &["--stall", "10"]);
}

#[test]
fn an_upload_that_stalls() {
    play("upload-stalls", Course::upload(Upload::Stalls(MEBIBYTE), Transferring(20)), &["--stall", "10"]);
}

#[test]
fn another_transfer_is_running() {
    let running = serde_json::json!({ "Transferring": { "id": 5, "process_name": "Node 3 os install service",
        "size": 1000, "cancelled": false, "bytes_written": 400 } });
    let board = || Board::new([Course::after([Done])]).left_with(running.clone());
    let Some(scene) = Scene::new("busy", board()) else { return };
    scene.assert_seen("busy", &scene.flash(&["rk1-01"]));
    let Some(scene) = Scene::new("take-over", board()) else { return };
    scene.assert_seen("take-over", &scene.flash(&["rk1-01", "--take-over"]));
}

#[test]
fn another_transfer_takes_its_place() {
    play("taken-over", Course::after([Transferring(500), Other]), &[]);
}

#[test]
fn connections_are_refused_for_a_while() {
    let away = Away(Duration::from_secs(3));
    play("away", Course::after([Transferring(500), away, Transferring(1000), Done]), &[]);
}

#[test]
fn the_bmc_restarts_amid_the_flash() {
    play("restarted", Course::after([Transferring(500), Restarted]), &[]);
    play("forgotten", Course::after([Transferring(500), Ready]), &[]);
}

#[test]
fn nobody_listens() {
    let away = Course::well();
    let mut board = Board::new([away]);
    board.away = Some(std::time::Instant::now() + Duration::from_hours(1));
    let Some(scene) = Scene::new("unreachable", board) else { return };
    scene.assert_seen("unreachable", &scene.flash(&["rk1-01"]));
}

#[test]
fn a_wrong_password_is_tried_once() {
    let Some(scene) = Scene::going("wrong-password", Course::well()) else { return };
    let mut command = crate::project::flash(scene.folder.path(), &["rk1-01"]);
    let output = scene.run(command.env("RK1_BMC_PASSWORD", "never-printed"));
    scene.assert_seen("wrong-password", &output);
}

#[test]
fn a_ban_is_not_walked_into() {
    let Some(scene) = Scene::new("banned", Board::new([Course::well()]).after_failures(5)) else { return };
    scene.assert_seen("banned", &scene.flash(&["rk1-01"]));
    // Four failures are there already, the fifth bans: one more command with a wrong password is one more failure.
    let board = Board::new([Course::well()]).after_failures(3);
    let Some(scene) = Scene::new("nearly-banned", board) else { return };
    let mut command = crate::project::flash(scene.folder.path(), &["rk1-01"]);
    scene.run(command.env("RK1_BMC_PASSWORD", "never-printed"));
    let output = scene.flash(&["rk1-01"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn another_certificate_is_refused() {
    let Some(scene) = Scene::going("other-certificate", Course::well()) else { return };
    let other = rk1::certificate::Fingerprint::of(&Certificate::new().certificate);
    let pins = scene.folder.path().join("bmc.pins");
    std::fs::write(&pins, format!("172.16.10.220 {other}\n")).expect("pins");
    let output = scene.flash(&["rk1-01"]);
    scene.assert_seen("other-certificate", &output);
    assert_eq!(std::fs::read_to_string(&pins).expect("pins"), format!("172.16.10.220 {other}\n"));
}

#[test]
fn a_node_in_use_is_not_overwritten_unasked() {
    let board = || Board::new([Course::after([Done])]).with_power(0);
    let Some(scene) = Scene::new("in-use", board()) else { return };
    scene.assert_seen("in-use", &scene.flash(&["rk1-01"]));
    let Some(scene) = Scene::new("in-use-yes", board()) else { return };
    scene.assert_seen("in-use-yes", &scene.flash(&["rk1-01", "--yes"]));
}

#[test]
fn an_image_that_changes_meanwhile() {
    let mut board = Board::new([Course::upload(Upload::Takes, Transferring(0))]);
    board.is_mute = true;
    let Some(scene) = Scene::new("image-changes", board) else { return };
    let image = scene.folder.path().join("changing.img.xz");
    std::fs::copy(crate::image::built().join("rk1-01.img.xz"), &image).expect("an image");
    let mut command = crate::project::flash(scene.folder.path(), &["rk1-01", "--image", "changing.img.xz"]);
    let child = scene.spawn(&mut command);
    // It is hashed already, and will be read again.
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
fn a_node_that_does_not_boot() {
    let Some(scene) = Scene::going("no-ssh", Course::after([Done])) else { return };
    // The second node's ssh never answers at the first one's address.
    let text = include_str!("../../config/check/base.toml").replace("172.16.10.221/24", "172.16.10.231/24");
    std::fs::write(scene.folder.path().join("cluster.toml"), text).expect("cluster.toml");
    scene.assert_seen("no-ssh", &scene.flash(&["rk1-01", "--wait", "2"]));
}
