//! Draws docs/watch.svg: the screen of a real `xdp-streamer watch` at 80 by 24 characters, on a veth pair with traffic from
//! several hosts. Needs root.
//!
//! `cargo build -p xdp-streamer && cargo run -p xdp-streamer --example watch_picture > docs/watch.svg`
#![expect(clippy::unwrap_used, reason = "a picture that cannot be drawn is an error")]
#![allow(dead_code, unreachable_pub, reason = "the tests use more of these modules")]

#[path = "../tests/end_to_end/frame.rs"]
mod frame;
#[path = "../tests/end_to_end/lab.rs"]
mod lab;

use lab::{Lab, WATCHED};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const COLUMNS: NonZeroU16 = NonZeroU16::new(80).unwrap();
const ROWS: NonZeroU16 = NonZeroU16::new(24).unwrap();

/// How long traffic is sent: as long as the plot of packets a second needs to show something.
const TRAFFIC: Duration = Duration::from_mins(1);

/// The size of a character in the picture.
const WIDTH: f32 = 8.4;
const HEIGHT: f32 = 18.0;

fn main() {
    let lab = Lab::new();
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let terminal = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let dimensions = Winsize { ws_row: ROWS.get(), ws_col: COLUMNS.get(), ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal, dimensions).unwrap();
    let side = || Stdio::from(terminal.try_clone().unwrap());
    let program = std::env::current_exe().unwrap().with_file_name("../xdp-streamer");
    let mut child = Command::new("ip")
        .args(["netns", "exec", &lab.node])
        .arg(program)
        .args(["watch", WATCHED])
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .stdin(side())
        .stdout(side())
        .stderr(side())
        .spawn()
        .unwrap();
    let mut controller = File::from(controller);
    let screen = Arc::new(Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 0)));
    let (mut reading, parsing) = (controller.try_clone().unwrap(), Arc::clone(&screen));
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = reading.read(&mut buffer) {
            parsing.lock().unwrap().process(&buffer[..length]);
        }
    });
    send(&lab);
    let picture = svg(screen.lock().unwrap().screen());
    controller.write_all(b"q").unwrap();
    child.wait().unwrap();
    std::io::stdout().write_all(picture.as_bytes()).unwrap();
}

/// Sends what a node of a home network receives: a download, DNS, SSDP, ssh, neighbour discovery.
fn send(lab: &Lab) {
    let node = [2, 0, 0, 0, 0, 1];
    let raspberry = [0x2c, 0xcf, 0x67, 1, 2, 3];
    let ipv4 = |from: [u8; 4], mac, protocol, payload: &[u8]| {
        frame::ethernet(node, mac, &[], 0x0800, &frame::ipv4(from, [172, 16, 10, 221], protocol, 64, payload))
    };
    let data = |header: Vec<u8>, length| [header, vec![0; length]].concat();
    let download = ipv4([198, 51, 100, 7], frame::SYNOLOGY, 6, &data(frame::tcp(443, 50_522, 0x10), 1380));
    let ssh = ipv4([172, 16, 10, 10], raspberry, 6, &data(frame::tcp(51_812, 22, 0x18), 36));
    let dns = ipv4([172, 16, 10, 1], frame::SYNOLOGY, 17, &frame::udp(53, 40_031, &[0; 120]));
    let ipv6 = frame::ipv6(
        "2001:db8:4f2:11:2c67:9aff:fe01:203",
        "2001:db8:4f2:11:5054:ff:fe12:3456",
        6,
        63,
        &data(frame::tcp(443, 38_214, 0x18), 600),
    );
    let ipv6 = frame::ethernet(node, raspberry, &[], 0x86dd, &ipv6);
    let start = Instant::now();
    let mut round = 0;
    while start.elapsed() < TRAFFIC {
        // The download comes in waves.
        let wave = if round / 60 % 3 == 2 { 1 } else { 2 + round / 40 % 5 };
        lab.send(&vec![download.clone(); wave]);
        lab.send(std::slice::from_ref(&ssh));
        if round % 3 == 0 {
            lab.send(&[ipv6.clone(), ipv6.clone()]);
        }
        if round % 7 == 0 {
            lab.send(std::slice::from_ref(&dns));
        }
        if round % 20 == 0 {
            lab.send(&[frame::ssdp()]);
        }
        round += 1;
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The screen as a picture: a text for each run of characters that look alike.
fn svg(screen: &vt100::Screen) -> String {
    let (width, height) = (f32::from(COLUMNS.get()) * WIDTH + 16.0, f32::from(ROWS.get()) * HEIGHT + 16.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" font-size=\"14\" \
         font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#16181d\"/>\n"
    );
    for row in 0..ROWS.get() {
        let mut column = 0;
        while column < COLUMNS.get() {
            let start = column;
            let look = |column| screen.cell(row, column).map(|cell| (cell.fgcolor(), cell.bold()));
            let mut text = String::new();
            while column < COLUMNS.get() && look(column) == look(start) {
                let contents = screen.cell(row, column).map(|cell| cell.contents().to_owned());
                text.push_str(contents.filter(|text| !text.is_empty()).as_deref().unwrap_or(" "));
                column += 1;
            }
            let Some((colour, bold)) = look(start) else { continue };
            if text.trim().is_empty() {
                continue;
            }
            let weight = if bold { " font-weight=\"bold\"" } else { "" };
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            writeln!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" textLength=\"{:.1}\" lengthAdjust=\"spacingAndGlyphs\" \
                 xml:space=\"preserve\" fill=\"{}\"{weight}>{escaped}</text>",
                8.0 + f32::from(start) * WIDTH,
                8.0 + f32::from(row) * HEIGHT + 13.0,
                f32::from(column - start) * WIDTH,
                fill(colour)
            )
            .unwrap();
        }
    }
    out.push_str("</svg>\n");
    out
}

const fn fill(colour: vt100::Color) -> &'static str {
    match colour {
        vt100::Color::Idx(1 | 9) => "#f07178",
        vt100::Color::Idx(2 | 10) => "#9ece6a",
        vt100::Color::Idx(3 | 11) => "#e6c07b",
        vt100::Color::Idx(5 | 13) => "#c792ea",
        vt100::Color::Idx(6 | 14) => "#56c8d8",
        _ => "#d7dae0",
    }
}
