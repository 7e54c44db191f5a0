//! Counting. The order of the writes is what lets a reader tell a torn copy: see `Counters`.

use packet_record::{Counters, Flags, PROTOCOLS, Record, Traffic};

/// An addition that stays where it is written, first or last.
#[inline(always)]
fn increment(counter: &mut u64) {
    // SAFETY: a valid reference. Volatile, so that the compiler does not move it.
    unsafe { core::ptr::write_volatile(counter, core::ptr::read_volatile(counter) + 1) }
}

/// Counts what every packet is counted as.
#[inline(always)]
pub(crate) fn begin(counters: &mut Counters, record: &Record) {
    let class = usize::from(record.class);
    if class < PROTOCOLS {
        let traffic: &mut Traffic = &mut counters.protocols[class];
        increment(&mut traffic.packets);
        traffic.bytes += u64::from(record.frame_length);
    }
    if record.fault != 0 {
        counters.malformed += 1;
    }
    if record.flags.contains(Flags::MULTICAST) {
        counters.multicast += 1;
    } else if record.flags.contains(Flags::BROADCAST) {
        counters.broadcast += 1;
    }
}

#[inline(always)]
pub(crate) fn own(counters: &mut Counters, record: &Record) {
    counters.own.bytes += u64::from(record.frame_length);
    increment(&mut counters.own.packets);
}

#[inline(always)]
pub(crate) fn untracked(counters: &mut Counters, record: &Record) {
    counters.untracked.packets += 1;
    counters.untracked.bytes += u64::from(record.frame_length);
}

#[inline(always)]
pub(crate) fn sampled_out(counters: &mut Counters) {
    increment(&mut counters.sampled_out);
}

#[inline(always)]
pub(crate) fn shown(counters: &mut Counters) {
    increment(&mut counters.shown);
}

#[inline(always)]
pub(crate) fn lost(counters: &mut Counters) {
    increment(&mut counters.lost);
}
