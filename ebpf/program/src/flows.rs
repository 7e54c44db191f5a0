//! Packets and bytes of each flow.

use aya_ebpf::Global;
use aya_ebpf::bindings::BPF_NOEXIST;
use aya_ebpf::helpers::bpf_jiffies64;
use aya_ebpf::macros::map;
use aya_ebpf::maps::PerCpuHashMap;
use packet_record::{FlowKey, Record, Traffic};

#[map]
static FLOWS: PerCpuHashMap<FlowKey, Traffic> = PerCpuHashMap::with_max_entries(4096, 0);

#[unsafe(no_mangle)]
static FLOWS_ENABLED: Global<u8> = Global::new(0);

/// The number of new flows that a CPU may create in one tick: 16,000 a second at 250 ticks. Creating a flow costs several
/// times as much as finding one, and a scan creates one with every packet.
const NEW_FLOWS_PER_TICK: u64 = 64;

/// The number of flows that a CPU has created in this tick.
#[repr(C)]
pub(crate) struct NewFlowLimit {
    tick: u64,
    created: u64,
}

/// Returns whether flows are aggregated. This is fixed when the program is loaded.
#[inline(always)]
pub(crate) fn enabled() -> bool {
    FLOWS_ENABLED.load() != 0
}

/// Adds the packet to its flow. Returns false if the flow is new and there is no room for it, or none in this tick.
#[inline(always)]
pub(crate) fn add(record: &Record, limit: &mut NewFlowLimit) -> bool {
    // The record lies in a map, so the key needs no copy on the stack.
    let key = record.flow();
    let bytes = u64::from(record.frame_length);
    if let Some(flow) = FLOWS.get_ptr_mut(key) {
        // SAFETY: the value belongs to this CPU, and nothing else writes it.
        let flow = unsafe { &mut *flow };
        flow.packets += 1;
        flow.bytes += bytes;
        return true;
    }
    may_create(limit) && FLOWS.insert(key, &Traffic { packets: 1, bytes }, u64::from(BPF_NOEXIST)).is_ok()
}

#[inline(always)]
fn may_create(limit: &mut NewFlowLimit) -> bool {
    // SAFETY: the helper has no arguments.
    let tick = unsafe { bpf_jiffies64() };
    if limit.tick != tick {
        limit.tick = tick;
        limit.created = 0;
    }
    limit.created += 1;
    limit.created <= NEW_FLOWS_PER_TICK
}
