//! The memory of a daemon that watches 40 interfaces and pushes to Grafana, idle and with a packet for each. Needs root.
//!
//! `cargo bench -p xdp-streamer --bench interfaces`
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]
#![allow(dead_code, reason = "the tests use more of these modules")]

#[path = "../tests/end_to_end/grafana.rs"]
mod grafana;
#[path = "../tests/end_to_end/lab.rs"]
mod lab;
#[path = "../tests/end_to_end/line.rs"]
mod line;
mod usage;

use grafana::{Grafana, Mood};
use lab::{Lab, ip};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::time::Duration;
use usage::{Usage, resident_mib};

const INTERFACES: usize = 40;
const TIME: Duration = Duration::from_secs(20);
const TOKEN: &str = "glsa_benchmark";

fn main() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: interfaces because it needs root");
        return;
    }
    let lab = Lab::new();
    for number in 1..INTERFACES {
        let (name, peer) = (format!("end{number}"), format!("far{number}"));
        #[rustfmt::skip]
        ip(&["-n", &lab.node, "link", "add", &name, "type", "veth", "peer", "name", &peer, "netns", &lab.network]);
        ip(&["-n", &lab.node, "link", "set", &name, "up"]);
        ip(&["-n", &lab.network, "link", "set", &peer, "up"]);
    }
    let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, Mood::Healthy { token: TOKEN.into() });
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), TOKEN).unwrap();
    let mut daemon = Command::new("ip")
        .args(["netns", "exec", &lab.node, env!("CARGO_BIN_EXE_xdp-streamer"), "run", "-i", "end*"])
        .args(["--url", &grafana.url(), "--token-file", token.path().to_str().unwrap()])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut starting: f64 = 0.0;
    for _ in 0..100 {
        starting = starting.max(resident_mib(daemon.id()));
        std::thread::sleep(Duration::from_millis(50));
    }
    let before = Usage::of(daemon.id());
    std::thread::sleep(TIME);
    let usage = Usage::of(daemon.id()).since(before);
    println!("{INTERFACES} interfaces, idle for {} s, pushing to a server on loopback:", TIME.as_secs());
    println!("  RSS        {:.1} MiB, {starting:.1} MiB at most while starting", resident_mib(daemon.id()));
    println!("  CPU        {:.2} % of a core", usage.cpu_percent(TIME));
    let process = rustix::process::Pid::from_child(&daemon);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    assert!(daemon.wait().unwrap().success());
    let rows = grafana.rows("streamer");
    let watched: BTreeSet<&str> = rows.iter().filter_map(|row| row.split(",host=").next()).collect();
    assert_eq!(watched.len(), INTERFACES, "each interface has its rows");
}
