//! Readers of a ring, on a thread of their own while something else runs.

use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use aya::maps::{MapData, RingBuf};
use packet_record::Record;

/// One turn of a reader.
pub(crate) type Read = fn(&mut RingBuf<MapData>);

/// How long a reader that is not told of records sleeps.
const PAUSE: Duration = Duration::from_micros(500);

/// Reads what there is, then sleeps: what xdp-streamer does.
pub(crate) fn in_turns(ring: &mut RingBuf<MapData>) {
    while let Some(item) = ring.next() {
        std::hint::black_box(Record::from_bytes(&item));
    }
    thread::sleep(PAUSE);
}

/// Sleeps until the kernel says that there is a record, then reads what there is.
pub(crate) fn when_told(ring: &mut RingBuf<MapData>) {
    let mut poll = libc::pollfd { fd: ring.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one valid entry. The timeout is for the end of the run.
    unsafe { libc::poll(&raw mut poll, 1, 1) };
    while let Some(item) = ring.next() {
        std::hint::black_box(item.len());
    }
}

/// Keeps this thread on a CPU of its own, if there is one: on one CPU the reader would only run after the packets.
fn run_on(cpu: usize) {
    // SAFETY: a valid set of CPUs. Where there is no such CPU nothing changes.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set);
    }
}

/// Runs `work` while a thread takes one turn of `read` after the other.
pub(crate) fn beside<T>(ring: &mut RingBuf<MapData>, read: Read, work: impl FnOnce() -> T) -> T {
    let stop = AtomicBool::new(false);
    let started = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            run_on(1);
            started.store(true, Ordering::Release);
            while !stop.load(Ordering::Relaxed) {
                read(ring);
            }
        });
        run_on(0);
        while !started.load(Ordering::Acquire) {
            thread::yield_now();
        }
        let result = work();
        stop.store(true, Ordering::Relaxed);
        result
    })
}
