//! `watch` on a terminal of the test's.

use crate::daemon::command;
use crate::lab::WATCHED;
use crate::{frame, lab, wait_until};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

/// What leaves the alternate screen and shows the cursor.
const RESTORED: [&str; 2] = ["\x1b[?1049l", "\x1b[?25h"];

#[test]
fn the_screen_shows_packets_and_the_terminal_is_restored() {
    let Some(lab) = lab("the_screen_shows_packets_and_the_terminal_is_restored") else { return };
    for end in ["q", "SIGTERM"] {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap();
        let terminal = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        tcsetwinsize(&terminal, Winsize { ws_row: 40, ws_col: 140, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let side = || Stdio::from(terminal.try_clone().unwrap());
        let mut child = command(&lab, &["watch", WATCHED])
            .env("TERM", "xterm")
            .stdin(side())
            .stdout(side())
            .stderr(side())
            .spawn()
            .unwrap();
        let mut controller = File::from(controller);
        let drawn = Arc::new(Mutex::new(String::new()));
        let (mut reading, writing) = (controller.try_clone().unwrap(), Arc::clone(&drawn));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = reading.read(&mut buffer) {
                writing.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
        });
        let shows = |text: &str| drawn.lock().unwrap().contains(text);
        wait_until("the screen is drawn", || shows("end0 (driver)"));
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
