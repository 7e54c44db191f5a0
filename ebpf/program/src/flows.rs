//! The flow table. `packet_record::FlowSet` explains it.

use aya_ebpf::Global;
use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use packet_record::{FLOW_SET_BITS, FlowEntry, FlowKey, FlowSet, Record};

// The loader sizes the map.
#[map]
static FLOWS: Array<FlowSet> = Array::with_max_entries(1, 0);

#[unsafe(no_mangle)]
static FLOWS_ENABLED: Global<u8> = Global::new(0);

#[unsafe(no_mangle)]
static FLOW_SEED: Global<u64> = Global::new(0);

/// The most credit that a flow can have: the number of new flows in its set after which an ended flow loses its place.
const MOST_CREDIT: u32 = 64;

const KEY_WORDS: usize = size_of::<FlowKey>() / size_of::<u64>();

/// A flow's key in words. In bytes the compiler would call functions to compare them.
type KeyWords = [u64; KEY_WORDS];

/// Returns whether flows are aggregated. This is fixed when the program is loaded.
#[inline(always)]
pub(crate) fn enabled() -> bool {
    FLOWS_ENABLED.load() != 0
}

/// Adds the packet, which arrived at `time` on `cpu`, to its flow. `number` is the number of the last new flow.
#[inline(always)]
pub(crate) fn add(record: &Record, cpu: u32, time: u64, number: &mut u64) {
    // SAFETY: a key consists of whole words without padding, and a record's key is aligned to 8.
    let key: &KeyWords = unsafe { &*core::ptr::from_ref(record.flow()).cast() };
    let set = hash(key) >> (u64::BITS - FLOW_SET_BITS);
    let Some(set) = FLOWS.get_ptr_mut(cpu << FLOW_SET_BITS | set as u32) else { return };
    // SAFETY: a value of the map, in the part of this CPU. Nothing else writes it.
    let flows = unsafe { &mut (*set).flows };
    let bytes = u64::from(record.frame_length);
    for flow in flows.iter_mut() {
        if same(words(flow), key) {
            flow.packets += 1;
            flow.bytes += bytes;
            flow.last_seen = time;
            if flow.credit < MOST_CREDIT {
                flow.credit += 1;
            }
            return;
        }
    }

    let [mut least, others @ ..] = flows.each_mut();
    for flow in others {
        let loser = if rank(flow) < rank(least) { core::mem::replace(&mut least, flow) } else { flow };
        loser.credit = loser.credit.saturating_sub(1);
    }
    *number += 1;
    begin(least, key, *number as u32, bytes, time);
}

/// Returns the rank of a flow in its set: the flow with the lowest rank loses its place. An empty place comes before all
/// flows, and of flows with the same credit the one that began first.
#[inline(always)]
fn rank(flow: &FlowEntry) -> u64 {
    if flow.packets == 0 { 0 } else { u64::from(flow.credit + 1) << 32 | u64::from(flow.number) }
}

/// Writes a new flow, in the order that `FlowEntry::is_whole` relies on.
#[inline(always)]
fn begin(flow: &mut FlowEntry, key: &KeyWords, number: u32, bytes: u64, time: u64) {
    // SAFETY: valid references. Volatile, so that the compiler keeps the order.
    unsafe {
        (&raw mut flow.number_again).write_volatile(number);
        (&raw mut flow.last_seen).write_volatile(time);
        (&raw mut flow.first_seen).write_volatile(time);
        (&raw mut flow.bytes).write_volatile(bytes);
        (&raw mut flow.packets).write_volatile(1);
        let place = (&raw mut flow.key).cast::<u64>();
        for (index, word) in key.iter().enumerate() {
            place.add(index).write_volatile(*word);
        }
        (&raw mut flow.credit).write_volatile(1);
        (&raw mut flow.number).write_volatile(number);
    }
}

#[inline(always)]
fn words(flow: &FlowEntry) -> &KeyWords {
    // SAFETY: as in `add`: the key lies behind two words of four bytes, so it is aligned to 8.
    unsafe { &*core::ptr::from_ref(&flow.key).cast() }
}

/// Compares two keys, the ports and the protocol first, because they differ most often.
#[inline(always)]
fn same(one: &KeyWords, other: &KeyWords) -> bool {
    one[4] == other[4]
        && (one[0] ^ other[0]) | (one[1] ^ other[1]) | (one[2] ^ other[2]) | (one[3] ^ other[3]) == 0
}

/// Mixes the words of a key with the seed. The high bits of the result depend on all of them.
#[inline(always)]
fn hash(key: &KeyWords) -> u64 {
    // The odd constants of xxHash64, which have no pattern.
    const FACTORS: [u64; 3] = [0x9e37_79b1_85eb_ca87, 0xc2b2_ae3d_27d4_eb4f, 0x1656_67b1_9e37_79f9];
    let seed = FLOW_SEED.load();
    let fold = |word: u64, factor: u64| {
        let product = (word ^ seed).wrapping_mul(factor);
        product ^ product >> 32
    };
    // Source and destination do not commute, and neither do the two halves of an address.
    let source = fold(key[0], FACTORS[0]).wrapping_add(key[1]);
    let destination = fold(key[2], FACTORS[1]).wrapping_add(key[3]);
    let mixed =
        fold(source, FACTORS[1]) ^ fold(destination, FACTORS[2]).rotate_left(17) ^ fold(key[4], FACTORS[0]);
    (mixed ^ mixed >> 29).wrapping_mul(FACTORS[2])
}
