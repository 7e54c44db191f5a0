//! A load that costs little processor time: the kernel sends the packets itself (`BPF_PROG_TEST_RUN` with live frames, see
//! "Running BPF programs from userspace" in the kernel's documentation), as xdp-trafgen does.

use crate::lab::{Lab, in_namespace};
use aya::EbpfLoader;
use aya::programs::xdp::XdpMode;
use aya::programs::{TestRun as _, TestRunAttrs, TestRunOptions, Xdp};
use std::time::{Duration, Instant};

/// Packets of one burst: a quarter of what the queue of a veth interface holds.
const BATCH: u32 = 64;
/// The most packets of one turn, after the machine was late: 5 ms at 200,000 a second.
const MOST_AT_ONCE: u64 = 1000;
/// The time between two turns.
const TURN: Duration = Duration::from_micros(500);

/// How many packets were sent, and in what time.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) packets: u64,
    pub(crate) time: Duration,
}

/// Sends `frame` from the network to the watched interface, `per_second` times a second for `time`.
pub(crate) fn flood(lab: &Lab, frame: &[u8], per_second: u64, time: Duration) -> Sent {
    in_namespace(&lab.network, || {
        let interface = interface_index("far0");
        let mut object = EbpfLoader::new()
            .override_global("INTERFACE", &interface, true)
            .load(packet_object::COMPARISON)
            .unwrap();
        let program: &mut Xdp = object.program_mut("transmit").unwrap().try_into().unwrap();
        program.load().unwrap();
        // No packet arrives there. But the program counts as in use from then on. Otherwise the kernel would register it, and
        // wait for all processors, at each turn.
        program.attach("lo", XdpMode::Skb).unwrap();
        let start = Instant::now();
        let mut packets = 0;
        while start.elapsed() < time {
            let due = u64::try_from(start.elapsed().as_micros()).unwrap() * per_second / 1_000_000;
            let next = (due - packets).min(MOST_AT_ONCE);
            if next > 0 {
                let options = TestRunOptions {
                    data_in: Some(frame),
                    repeat: u32::try_from(next).unwrap(),
                    attrs: TestRunAttrs::new().xdp_live_frames(BATCH),
                    ..TestRunOptions::default()
                };
                program.test_run(options).unwrap();
                packets += next;
            }
            std::thread::sleep(TURN);
        }
        Sent { packets, time: start.elapsed() }
    })
}

fn interface_index(name: &str) -> u32 {
    let family = rustix::net::AddressFamily::INET;
    let socket = rustix::net::socket(family, rustix::net::SocketType::DGRAM, None).unwrap();
    rustix::net::netdevice::name_to_index(socket, name).unwrap()
}
