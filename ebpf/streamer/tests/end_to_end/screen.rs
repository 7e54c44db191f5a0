//! `watch` on a pseudo terminal.

use crate::daemon::command;
use crate::lab::WATCHED;
use crate::{frame, lab, wait_until};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

/// Leaves the alternate screen, and shows the cursor.
const RESTORED: [&str; 2] = ["\x1b[?1049l", "\x1b[?25h"];

/// A pseudo terminal of this size: the side that controls it, and the side for the program.
fn terminal(columns: u16, rows: u16) -> (File, File) {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let terminal = File::options()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOCTTY)
        .open(name.to_str().unwrap())
        .unwrap();
    tcsetwinsize(&terminal, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    (File::from(controller), terminal)
}

/// Collects what the program writes to the terminal.
fn collect(controller: &File) -> Arc<Mutex<String>> {
    let drawn = Arc::new(Mutex::new(String::new()));
    let (mut reading, writing) = (controller.try_clone().unwrap(), Arc::clone(&drawn));
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = reading.read(&mut buffer) {
            writing.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
    });
    drawn
}

#[test]
fn the_screen_shows_packets_and_the_terminal_is_restored() {
    let Some(lab) = lab("the_screen_shows_packets_and_the_terminal_is_restored") else { return };
    for end in ["q", "SIGTERM"] {
        let (mut controller, terminal) = terminal(140, 40);
        let side = || Stdio::from(terminal.try_clone().unwrap());
        let mut child = command(&lab, &["watch", WATCHED])
            .env("TERM", "xterm")
            .stdin(side())
            .stdout(side())
            .stderr(side())
            .spawn()
            .unwrap();
        let drawn = collect(&controller);
        let shows = |text: &str| drawn.lock().unwrap().contains(text);
        wait_until("the screen is drawn", || shows("end0 (tcx)"));
        assert!(!tcgetattr(&terminal).unwrap().local_modes.contains(LocalModes::ICANON));
        lab.send(&[frame::ssdp()]);
        wait_until("the packet is shown", || shows("172.16.10.208:50085") && shows("Synology"));
        if end == "q" {
            controller.write_all(b"q").unwrap();
        } else {
            let id = rustix::process::Pid::from_child(&child);
            rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        }
        assert!(child.wait().unwrap().success());
        for sequence in RESTORED {
            wait_until("the screen is left", || shows(sequence));
        }
        assert!(tcgetattr(&terminal).unwrap().local_modes.contains(LocalModes::ICANON));
        assert!(!lab.link().contains("xdp"));
    }
}

/// Standard output is a terminal, but keys cannot be read: an error instead of a panic.
#[test]
fn a_process_without_a_controlling_terminal_gets_an_error() {
    let Some(lab) = lab("a_process_without_a_controlling_terminal_gets_an_error") else { return };
    let (_controller, terminal) = terminal(80, 24);
    let mut command = std::process::Command::new("setsid");
    command.args([
        "--wait",
        "ip",
        "netns",
        "exec",
        &lab.node,
        env!("CARGO_BIN_EXE_xdp-streamer"),
        "watch",
        WATCHED,
    ]);
    let output = command.stdin(Stdio::null()).stdout(terminal).stderr(Stdio::piped()).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.starts_with("xdp-streamer: ") && !message.contains("panicked"), "{message}");
    assert!(message.contains("hint: use `xdp-streamer run"), "{message}");
}

/// Counts the sequences that set a colour (ECMA-48, SGR 30 to 48 and 90 to 107).
fn colours(output: &str) -> usize {
    let sequences = output.split("\x1b[").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        rest[end..].starts_with('m').then_some(&rest[..end])
    });
    let is_colour = |number: &str| matches!(number.parse(), Ok(30..=38 | 40..=48 | 90..=107));
    sequences.filter(|sequence| sequence.split(';').any(is_colour)).count()
}

/// The usual terminal: a deleted interface is announced, and its packets are shown again when it is back.
#[test]
fn a_watched_interface_may_go_and_come_back() {
    let Some(lab) = lab("a_watched_interface_may_go_and_come_back") else { return };
    let (mut controller, terminal) = terminal(80, 24);
    let side = || Stdio::from(terminal.try_clone().unwrap());
    let mut child = command(&lab, &["watch", WATCHED])
        .env("TERM", "xterm")
        .env("NO_COLOR", "1")
        .stdin(side())
        .stdout(side())
        .stderr(side())
        .spawn()
        .unwrap();
    let drawn = collect(&controller);
    let take = || std::mem::take(&mut *drawn.lock().unwrap());
    let shows = |text: &str| drawn.lock().unwrap().contains(text);
    wait_until("the screen is drawn", || shows("help"));
    lab.unplug();
    wait_until("its end is shown", || shows("waiting"));
    let before = take();
    assert_eq!(colours(&before), 0, "{before:?}");
    lab.plug();
    wait_until("its return is shown", || shows("tcx"));
    lab.send(&[frame::ssdp()]);
    wait_until("packets are shown again", || shows("172.16.10.208"));
    controller.write_all(b"q").unwrap();
    assert!(child.wait().unwrap().success());
}
