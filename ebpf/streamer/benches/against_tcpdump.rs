//! What watching costs the whole system, beside tcpdump in the same run: a process sends 100,000 packets a second over a veth
//! pair, with nothing that watches, with `tcpdump -s 96 -w /dev/null`, and with the daemon in each mode, in turns. The
//! processor time is that of the sender, whose system calls carry each packet to its end, of the kernel's softirq threads and
//! of the tool. Needs root and tcpdump.
//!
//! `cargo bench -p xdp-streamer --bench against_tcpdump`
#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot go on has failed")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]
#![allow(dead_code, reason = "the tests use more of these modules")]

#[path = "../tests/end_to_end/lab.rs"]
mod lab;
mod sender;
mod usage;

use lab::{Lab, WATCHED};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use usage::Usage;

const ROUNDS: usize = 11;
const TURN: Duration = Duration::from_secs(2);
const PER_SECOND: u64 = 100_000;

/// What watches, with the line of its log that says that it has begun.
struct Watcher {
    name: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    begins: &'static str,
}

const TCPDUMP: usize = 1;

const WATCHERS: [Watcher; 6] = [
    Watcher { name: "nothing", program: "", arguments: &[], begins: "" },
    Watcher {
        name: "tcpdump -s 96 -w /dev/null",
        program: "tcpdump",
        arguments: &["-i", WATCHED, "-s", "96", "-w", "/dev/null"],
        begins: "listening on",
    },
    streamer("xdp-streamer, TCX", &["--hook", "tcx"]),
    streamer("xdp-streamer, TCX, --talkers 0", &["--hook", "tcx", "--talkers", "0"]),
    streamer("xdp-streamer, XDP generic", &["--hook", "xdp", "--xdp-mode", "generic"]),
    streamer("xdp-streamer, XDP driver", &["--hook", "xdp", "--xdp-mode", "driver"]),
];

const fn streamer(name: &'static str, arguments: &'static [&'static str]) -> Watcher {
    Watcher { name, program: env!("CARGO_BIN_EXE_xdp-streamer"), arguments, begins: "attached in" }
}

/// Nanoseconds of processor time a packet.
#[derive(Debug, Clone, Copy)]
struct Cost {
    /// Of the sender and of the softirq threads.
    sender: f64,
    tool: f64,
}

impl Cost {
    fn sum(self) -> f64 {
        self.sender + self.tool
    }
}

fn main() {
    if sender::was_started() {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: against_tcpdump because it needs root");
        return;
    }
    if Command::new("tcpdump").arg("--version").output().is_err() {
        eprintln!("skipped: against_tcpdump because there is no tcpdump");
        return;
    }
    let lab = Lab::new();
    let mut rounds: Vec<[Cost; WATCHERS.len()]> = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(std::array::from_fn(|at| measure(&lab, &WATCHERS[at])));
    }

    let of = |cost: &dyn Fn(&[Cost; WATCHERS.len()]) -> f64| median(rounds.iter().map(cost).collect());
    println!("{PER_SECOND} packets/s of 60 bytes; medians of {ROUNDS} rounds of {TURN:?} (quartiles)");
    println!("nothing watches: {} ns a packet\n", of(&|round| round[0].sum()));
    println!(
        "{:<34}{:>10}{:>8}{:>20}{:>24}",
        "ns a packet more than that", "sender", "tool", "together", "of tcpdump's"
    );
    for (at, watcher) in WATCHERS.iter().enumerate().skip(1) {
        let more = |round: &[Cost; WATCHERS.len()], at: usize| round[at].sum() - round[0].sum();
        println!(
            "{:<34}{:>10}{:>8}{:>20}{:>24}",
            watcher.name,
            of(&|round| round[at].sender - round[0].sender).whole(),
            of(&|round| round[at].tool).whole(),
            of(&|round| more(round, at)).to_string(),
            of(&|round| more(round, at) / more(round, TCPDUMP)).ratio(),
        );
    }
}

/// Sends for one turn while `watcher` runs.
fn measure(lab: &Lab, watcher: &Watcher) -> Cost {
    let mut tool = (!watcher.program.is_empty()).then(|| start(lab, watcher));
    let process = tool.as_ref().map(Child::id);
    std::thread::sleep(Duration::from_millis(300));
    let received = lab.received();
    let before = (process.map(Usage::of).unwrap_or_default(), Usage::of_softirqs());
    let sender::Sent { packets, cpu_ns } = sender::send(lab, PER_SECOND, TURN);
    let after = (process.map(Usage::of).unwrap_or_default(), Usage::of_softirqs());
    assert!(lab.received() - received >= packets, "every packet arrives");
    if let Some(tool) = &mut tool {
        rustix::process::kill_process(rustix::process::Pid::from_child(tool), rustix::process::Signal::TERM)
            .unwrap();
        assert!(tool.wait().unwrap().success());
    }
    let a_packet = |nanoseconds: u64| nanoseconds as f64 / packets as f64;
    Cost {
        sender: a_packet(cpu_ns + after.1.since(before.1).cpu_ns),
        tool: a_packet(after.0.since(before.0).cpu_ns),
    }
}

fn start(lab: &Lab, watcher: &Watcher) -> Child {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", &lab.node, watcher.program]);
    if watcher.program != "tcpdump" {
        command.args(["run", "--interface", WATCHED]);
    }
    let mut tool =
        command.args(watcher.arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(tool.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(watcher.begins) {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "{} does not start", watcher.name);
    }
    // Until its end, so that the tool never waits for its log to be read.
    std::thread::spawn(move || log.read_to_string(&mut String::new()));
    tool
}

/// Median and quartiles.
struct Spread([f64; 3]);

fn median(mut values: Vec<f64>) -> Spread {
    values.sort_by(f64::total_cmp);
    Spread([1, 2, 3].map(|quarters| values[(values.len() - 1) * quarters / 4]))
}

impl Spread {
    fn whole(&self) -> String {
        format!("{:.0}", self.0[1])
    }

    fn ratio(&self) -> String {
        format!("{:.2} ({:.2}-{:.2})", self.0[1], self.0[0], self.0[2])
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.0} ({:.0}-{:.0})", self.0[1], self.0[0], self.0[2])
    }
}
