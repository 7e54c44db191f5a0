//! A load that costs its sender little: the kernel sends the packets itself (`BPF_PROG_TEST_RUN` with live frames, the
//! kernel's documentation "Running BPF programs from userspace"), as xdp-trafgen does.

use crate::lab::{Lab, in_namespace};
use aya::EbpfLoader;
use aya::programs::xdp::XdpMode;
use aya::programs::{TestRun as _, TestRunAttrs, TestRunOptions, Xdp};
use std::time::{Duration, Instant};

/// Packets that go out together: a quarter of what a queue of a virtual Ethernet holds.
const BATCH: u32 = 64;
/// The most that one turn makes up for, if the machine was late: 5 ms of 200,000 a second.
const MOST_AT_ONCE: u64 = 1000;
/// Between two looks at how many packets are due.
const TURN: Duration = Duration::from_micros(500);

/// What was sent, and in what time.
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
        // Nothing comes there. But the kernel knows it as a program in use from then on; else it would make it known, and
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
