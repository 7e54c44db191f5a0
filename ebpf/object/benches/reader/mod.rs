//! Readers of a ring that run on a thread of their own.
#![allow(dead_code, reason = "benchmarks need different readers")]

use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use aya::maps::{MapData, RingBuf};
use packet_ring::Ring;

use crate::loaded::stay_on;

/// The time that a polling reader sleeps.
const PAUSE: Duration = Duration::from_micros(500);

/// Reads all records, then sleeps, as xdp-streamer does.
pub(crate) fn in_turns(ring: &mut Ring) {
    ring.read(usize::MAX, |record| {
        std::hint::black_box(*record);
    });
    thread::sleep(PAUSE);
}

/// Sleeps until the kernel signals a record, then reads all records.
pub(crate) fn when_told(ring: &mut RingBuf<MapData>) {
    let mut poll = libc::pollfd { fd: ring.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one valid entry. The timeout ends the wait at the end of the run.
    unsafe { libc::poll(&raw mut poll, 1, 1) };
    while let Some(item) = ring.next() {
        std::hint::black_box(item.len());
    }
}

/// Runs `work` while another thread repeats `read`. Each has a CPU of its own if there are two; on a single CPU the reader
/// would only run after the packets.
pub(crate) fn beside<R: Send, T>(ring: &mut R, read: fn(&mut R), work: impl FnOnce() -> T) -> T {
    let stop = AtomicBool::new(false);
    let started = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            stay_on(1);
            started.store(true, Ordering::Release);
            while !stop.load(Ordering::Relaxed) {
                read(ring);
            }
        });
        stay_on(0);
        while !started.load(Ordering::Acquire) {
            thread::yield_now();
        }
        let result = work();
        stop.store(true, Ordering::Relaxed);
        result
    })
}
