//! The daemon on a veth pair: idle, then with 200,000 packets a second for 30 s; then a sender that posts each packet by
//! itself, as ebpf-grafana-stream does. Needs root.
//!
//! `cargo bench -p xdp-streamer --bench end_to_end`
#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot go on has failed")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]
#![allow(dead_code, reason = "the tests use more of these modules")]

#[path = "../tests/end_to_end/frame.rs"]
mod frame;
mod generator;
#[path = "../tests/end_to_end/grafana.rs"]
mod grafana;
#[path = "../tests/end_to_end/lab.rs"]
mod lab;
#[path = "../tests/end_to_end/line.rs"]
mod line;
mod usage;

use generator::Sent;
use grafana::{Grafana, Mood};
use lab::{Lab, WATCHED};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use usage::{Usage, resident_mib};

const IDLE: Duration = Duration::from_secs(20);
const LOAD: Duration = Duration::from_secs(30);
const ALONE: Duration = Duration::from_secs(5);
const PER_SECOND: u64 = 200_000;
const TOKEN: &str = "glsa_benchmark";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, address] = arguments.as_slice()
        && flag == "--post-each"
    {
        return post_each(address.parse().unwrap());
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: end_to_end because it needs root");
        return;
    }
    let lab = Lab::new();
    let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, Mood::Healthy { token: TOKEN.into() });
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), TOKEN).unwrap();
    let mut daemon = Command::new("ip")
        .args(["netns", "exec", &lab.node, env!("CARGO_BIN_EXE_xdp-streamer"), "run", "--interface", WATCHED])
        .args(["--url", &grafana.url(), "--token-file", token.path().to_str().unwrap()])
        // A veth interface receives what another interface redirects to its peer only if it has an XDP program.
        .args(["--hook", "xdp"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(3));

    let before = Usage::of(daemon.id());
    std::thread::sleep(IDLE);
    let idle = Usage::of(daemon.id()).since(before);
    println!("idle, {} s, pushing to a server on loopback:", IDLE.as_secs());
    println!("  CPU        {:.3} % of a core", idle.cpu_percent(IDLE));
    println!("  wake-ups   {:.2} /s", idle.wakeups as f64 / IDLE.as_secs_f64());
    println!("  RSS        {:.1} MiB", resident_mib(daemon.id()));

    let before = Usage::of(daemon.id());
    let received = lab.received();
    let (Sent { packets: sent, time }, peak) = std::thread::scope(|scope| {
        let sender = scope.spawn(|| generator::flood(&lab, &frame::ssdp(), PER_SECOND, LOAD));
        let mut peak = 0.0_f64;
        while !sender.is_finished() {
            peak = peak.max(resident_mib(daemon.id()));
            std::thread::sleep(Duration::from_millis(200));
        }
        (sender.join().unwrap(), peak)
    });
    let load = Usage::of(daemon.id()).since(before);
    let received = lab.received() - received;
    rustix::process::kill_process(rustix::process::Pid::from_child(&daemon), rustix::process::Signal::TERM)
        .unwrap();
    assert!(daemon.wait().unwrap().success());
    println!(
        "load, {sent} packets offered in {:.1} s ({:.0} /s):",
        time.as_secs_f64(),
        sent as f64 / time.as_secs_f64()
    );
    println!(
        "  CPU        {:.2} % of a core, {:.0} ns a packet",
        load.cpu_percent(time),
        load.cpu_ns as f64 / sent as f64
    );
    println!("  RSS        {peak:.1} MiB at most");
    println!("  received   {received}; {} found the wire's queue full", sent.saturating_sub(received));
    let rates = grafana.rows("packet_rate");
    let total = |field: &str| -> u64 { rates.iter().map(|line| integer(line, field)).sum() };
    let (seen, shown, out, lost, own) =
        (total("packets"), total("shown"), total("sampled_out"), total("lost"), total("self_packets"));
    println!("  seen {seen} = shown {shown} + sampled out {out} + lost {lost} + own {own}");
    assert!(received > sent / 2, "most packets arrive");
    assert_eq!(seen, shown + out + lost + own, "every packet has its outcome");
    assert_eq!(seen, received, "every packet received was seen");
    assert_eq!(grafana.rows("packet_details").len() as u64, shown, "every packet shown has its row");

    let mut alone = Command::new("ip")
        .args(["netns", "exec", &lab.node])
        .arg(std::env::current_exe().unwrap())
        .args(["--post-each", &grafana.address.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut text = String::new();
    alone.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    alone.wait().unwrap();
    let [packets, cpu_ns] =
        text.split_whitespace().map(|word| word.parse::<f64>().unwrap()).collect::<Vec<_>>()[..]
    else {
        panic!("{text}")
    };
    println!("one POST a packet, alone, {} s:", ALONE.as_secs());
    println!(
        "  {:.0} packets/s at most, {:.0} ns CPU a packet",
        packets / ALONE.as_secs_f64(),
        cpu_ns / packets
    );
    println!(
        "  ratio      {:.0} times the daemon's CPU a packet",
        cpu_ns / packets / (load.cpu_ns as f64 / sent as f64)
    );
}

/// Posts the same line again and again over one connection. Prints how often, and the processor time.
fn post_each(address: SocketAddr) {
    let line = "packet_details source_mac=\"00:11:32:e5:79:5c\",destination_mac=\"01:00:5e:7f:ff:fa\",source_ip=\"172.16.10.208\",destination_ip=\"239.255.255.250\",protocol=\"UDP\",length=129i,ttl=1i,version=4i,source_port=50085i,destination_port=1900i 1716570245123456789\n";
    let request = format!(
        "POST /api/live/push/alone HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n\r\n{line}",
        line.len()
    );
    let mut stream = TcpStream::connect(address).unwrap();
    let start = Instant::now();
    let mut packets = 0_u64;
    let mut answer = [0; 4096];
    while start.elapsed() < ALONE {
        stream.write_all(request.as_bytes()).unwrap();
        assert!(stream.read(&mut answer).unwrap() > 0);
        packets += 1;
    }
    let cpu = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    println!("{packets} {}", cpu.tv_sec * 1_000_000_000 + cpu.tv_nsec);
}

fn integer(line: &str, field: &str) -> u64 {
    let name = format!(",{field}=");
    let value = &line[line.find(&name).unwrap() + name.len()..];
    value[..value.find('i').unwrap()].parse().unwrap()
}
