//! Packets and bytes by flow.

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

/// New flows that a CPU may make in one tick: 16,000 a second at 250 ticks. Making one costs several times what finding
/// one costs, and a scan makes one with every packet.
const NEW_FLOWS_PER_TICK: u64 = 64;

/// How many flows a CPU has made in this tick.
#[repr(C)]
pub(crate) struct Making {
    tick: u64,
    made: u64,
}

/// Whether flows are aggregated: fixed when the program is loaded.
#[inline(always)]
pub(crate) fn enabled() -> bool {
    FLOWS_ENABLED.load() != 0
}

/// Adds the packet to its flow. False if the flow is new and there is no room or no time for it.
#[inline(always)]
pub(crate) fn add(record: &Record, making: &mut Making) -> bool {
    // In the map already: no copy on the stack.
    let key = record.flow();
    let bytes = u64::from(record.frame_length);
    if let Some(flow) = FLOWS.get_ptr_mut(key) {
        // SAFETY: this CPU's value; nothing else writes it.
        let flow = unsafe { &mut *flow };
        flow.packets += 1;
        flow.bytes += bytes;
        return true;
    }
    may_make(making) && FLOWS.insert(key, &Traffic { packets: 1, bytes }, u64::from(BPF_NOEXIST)).is_ok()
}

#[inline(always)]
fn may_make(making: &mut Making) -> bool {
    // SAFETY: the helper has no arguments.
    let tick = unsafe { bpf_jiffies64() };
    if making.tick != tick {
        making.tick = tick;
        making.made = 0;
    }
    making.made += 1;
    making.made <= NEW_FLOWS_PER_TICK
}
