//! A process that sends packets through a packet socket, so that its processor time is that of a real sender: its system
//! calls carry each packet through the veth pair to the end of the receiver's network stack.

#[path = "../../../object/tests/packets/mod.rs"]
mod packets;
#[path = "../../../object/tests/veth/mod.rs"]
mod veth;

use crate::lab::Lab;
use std::process::Command;
use std::time::Duration;

const FLAG: &str = "--send";

/// What a process sent, and the processor time that it took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) packets: u64,
    pub(crate) cpu_ns: u64,
}

/// Sends datagrams of 60 bytes from the network to the watched interface, in a process of its own.
pub(crate) fn send(lab: &Lab, per_second: u64, time: Duration) -> Sent {
    let output = Command::new("ip")
        .args(["netns", "exec", &lab.network])
        .arg(std::env::current_exe().unwrap())
        .args([FLAG, &per_second.to_string(), &time.as_millis().to_string()])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<u64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let [packets, cpu_ns] = numbers[..] else { panic!("{text}{}", String::from_utf8_lossy(&output.stderr)) };
    Sent { packets, cpu_ns }
}

/// Sends, if this is the process that [`send`] has started. Returns whether it was.
pub(crate) fn was_started() -> bool {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, flag, per_second, milliseconds] = arguments.as_slice() else { return false };
    if flag != FLAG {
        return false;
    }
    // On one processor, so that the scheduler's choice is not measured.
    let mut processor = rustix::thread::CpuSet::new();
    processor.set(0);
    rustix::thread::sched_setaffinity(None, &processor).unwrap();
    let wire = veth::Wire::open("far0").unwrap();
    let (per_second, time) =
        (per_second.parse().unwrap(), Duration::from_millis(milliseconds.parse().unwrap()));
    let packets = wire.send_steadily(&packets::short_udp(), per_second, time).unwrap();
    let cpu = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    println!("{packets} {}", cpu.tv_sec * 1_000_000_000 + cpu.tv_nsec);
    true
}
