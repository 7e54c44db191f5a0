//! Standard output, scripts, and the service manager.

use crate::daemon::{Daemon, command};
use crate::lab::WATCHED;
use crate::{frame, lab, wait_until};
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn once_writes_the_rows_of_one_second() {
    let Some(lab) = lab("once_writes_the_rows_of_one_second") else { return };
    let start = Instant::now();
    let output = command(&lab, &["run", "-i", WATCHED, "--sink", "stdout", "--format", "line", "--once"])
        .output()
        .unwrap();
    assert!(output.status.success() && start.elapsed() < Duration::from_secs(3));
    let text = String::from_utf8(output.stdout).unwrap();
    let kinds: Vec<&str> = text.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(kinds, ["packet_rate", "streamer"]);
    let log = String::from_utf8(output.stderr).unwrap();
    let position = |text: &str| log.find(text).unwrap_or_else(|| panic!("no `{text}` in {log}"));
    assert!(
        position("attached") < position("delivering rows")
            && position("delivering rows") < position("detached")
    );
}

#[test]
fn the_daemon_ends_after_its_duration() {
    let Some(lab) = lab("the_daemon_ends_after_its_duration") else { return };
    let mut daemon = Daemon::start(&lab, &["--sink", "stdout", "--format", "json", "--duration", "2s"]);
    lab.send(&[frame::ssdp()]);
    assert!(daemon.ended().success());
    let output = daemon.output();
    let rows: Vec<serde_json::Value> =
        output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let packet = rows.iter().find(|row| row["measurement"] == "packet_details").unwrap();
    assert_eq!((&packet["vendor"], &packet["destination_port"]), (&"Synology".into(), &1900.into()));
}

/// Closing the terminal ends the daemon as other signals do: the last rows are written.
#[test]
fn a_hangup_ends_the_daemon_in_order() {
    let Some(lab) = lab("a_hangup_ends_the_daemon_in_order") else { return };
    let mut daemon = Daemon::start(&lab, &["--sink", "stdout", "--format", "line"]);
    lab.send(&[frame::ssdp()]);
    let (status, _) = daemon.signal(rustix::process::Signal::HUP);
    assert!(status.success(), "{status}");
    assert_eq!(daemon.output().lines().filter(|line| line.starts_with("packet_details ")).count(), 1);
    assert!(daemon.log().contains("detached; 1 packets seen, 1 shown"), "{}", daemon.log());
}

/// `… | head` ends the daemon without an error.
#[test]
fn a_closed_pipe_ends_the_daemon() {
    let Some(lab) = lab("a_closed_pipe_ends_the_daemon") else { return };
    let mut child =
        command(&lab, &["run", "-i", WATCHED, "--sink", "stdout", "--format", "line"]).spawn().unwrap();
    drop(child.stdout.take());
    let mut status = None;
    wait_until("it ends", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    assert!(status.unwrap().success());
}

#[test]
fn the_service_manager_is_notified() {
    let Some(lab) = lab("the_service_manager_is_notified") else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut command = command(&lab, &["run", "-i", WATCHED, "--sink", "stdout"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "2000000").stdout(Stdio::piped());
    let mut daemon = Daemon::spawn(command);
    let next = || {
        let mut buffer = [0; 512];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).trim_end().to_owned()
    };
    assert_eq!(next(), "READY=1");
    let mut told = vec![next(), next()];
    told.sort();
    assert_eq!(told[1], "WATCHDOG=1");
    assert!(told[0].starts_with("STATUS=end0: tcx, 0 packets/s, 1 of 1 shown"), "{told:?}");
    assert!(daemon.terminate().0.success());
    while next() != "STOPPING=1" {}
}

#[test]
fn wrong_usage_is_exit_2_and_an_error_is_exit_1() {
    let Some(lab) = lab("wrong_usage_is_exit_2_and_an_error_is_exit_1") else { return };
    let code = |arguments: &[&str]| command(&lab, arguments).output().unwrap().status.code();
    assert_eq!(code(&["run", "--nonsense"]), Some(2));
    assert_eq!(code(&["run"]), Some(1));
    assert_eq!(code(&["check", "nosuch0"]), Some(1));
    assert_eq!(code(&["check", WATCHED]), Some(0));
    assert_eq!(code(&["watch", WATCHED]), Some(1));
}

#[test]
fn completions_and_man_page_come_from_the_same_definitions() {
    let Some(lab) = lab("completions_and_man_page_come_from_the_same_definitions") else { return };
    let text =
        |arguments: &[&str]| String::from_utf8(command(&lab, arguments).output().unwrap().stdout).unwrap();
    assert!(text(&["generate", "completions", "bash"]).contains("--xdp-mode"));
    assert!(text(&["generate", "man"]).contains(".TH xdp-streamer"));
    let run = text(&["generate", "man", "run"]);
    assert!(run.contains(".TH xdp-streamer-run") && run.contains("\\-\\-budget"), "{run}");
}
