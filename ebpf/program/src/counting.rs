//! Counting. A reader can tell a torn copy by the order of the writes: see `packet_record::Counters`.

use packet_record::{Counters, Fault, Flags, PROTOCOLS, Record, Traffic};

/// Adds one to a counter. The compiler does not move this write before or behind another one.
#[inline(always)]
fn increment(counter: &mut u64) {
    // SAFETY: a valid reference. Volatile, so that the compiler keeps the order.
    unsafe { core::ptr::write_volatile(counter, core::ptr::read_volatile(counter) + 1) }
}

/// Counts a packet's class and properties, before its outcome.
#[inline(always)]
pub(crate) fn class(counters: &mut Counters, record: &Record) {
    let class = usize::from(record.class);
    if class < PROTOCOLS {
        let traffic: &mut Traffic = &mut counters.protocols[class];
        increment(&mut traffic.packets);
        traffic.bytes += u64::from(record.frame_length);
    }
    if record.fault != 0 && record.fault != Fault::OutOfReach as u8 {
        counters.malformed += 1;
    }
    if record.flags.contains(Flags::MULTICAST) {
        counters.multicast += 1;
    } else if record.flags.contains(Flags::BROADCAST) {
        counters.broadcast += 1;
    }
}

#[inline(always)]
pub(crate) fn self_traffic(counters: &mut Counters, record: &Record) {
    counters.self_traffic.bytes += u64::from(record.frame_length);
    increment(&mut counters.self_traffic.packets);
}

#[inline(always)]
pub(crate) fn flow(counters: &mut Counters, record: &Record) {
    counters.flows.packets += 1;
    counters.flows.bytes += u64::from(record.frame_length);
}

#[inline(always)]
pub(crate) fn filtered_out(counters: &mut Counters) {
    increment(&mut counters.filtered_out);
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
