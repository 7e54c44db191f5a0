//! The packet program. The crate `packet-record` explains what it does with a packet and what each map means.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod barrier;
mod capture;
mod clock;
mod counting;
mod filter;
mod flows;
mod frame;
mod maps;
mod ring;
mod sampling;

use core::hint::cold_path;

use aya_ebpf::Global;
use aya_ebpf::bindings::bpf_hdr_start_off::BPF_HDR_START_MAC;
use aya_ebpf::bindings::{TC_ACT_UNSPEC, xdp_action::XDP_PASS};
use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::generated::{bpf_ktime_get_ns, bpf_skb_load_bytes_relative, bpf_xdp_get_buff_len};
use aya_ebpf::macros::{classifier, xdp};
use aya_ebpf::programs::{TcContext, XdpContext};
use packet_parser::{ETHERNET, Frame};
use packet_record::{Counters, Fault, Flags, Record};

use crate::capture::Layout;
use crate::frame::Linear;
use crate::maps::CpuState;

/// The number of bytes in which the headers of a packet are looked for, if they are not in its first buffer.
const MOST_HEADERS: u32 = 2048;

#[unsafe(no_mangle)]
static NO_ETHERNET: Global<u8> = Global::new(0);

#[xdp(frags)]
pub fn packet_xdp(context: XdpContext) -> u32 {
    // SAFETY: the context is the one that the kernel passed.
    let length = unsafe { bpf_xdp_get_buff_len(context.ctx) };
    handle(&context, length as u32)
}

/// The same for generic mode: `packet_record::program::XDP_GENERIC` says why it is a program of its own.
#[xdp]
pub fn packet_generic(context: XdpContext) -> u32 {
    // For a program that is not made for several buffers, the kernel puts the whole packet into one. The compiler would
    // subtract in 32 bits, of which the verifier does not know that the result is not negative.
    let length = barrier::hide_value_from_compiler(context.data_end() - context.data());
    handle(&context, length as u32)
}

/// Handles a packet of `length` bytes.
#[inline(always)]
fn handle(context: &XdpContext, length: u32) -> u32 {
    if let Some((counters, state, record)) = maps::cpu() {
        ring::clear(record);
        record.frame_length = length;
        let frame = Linear::new(context.data(), context.data_end(), length, &mut state.verifier_scratch);
        packet_parser::parse(&frame, record);
        if filter::enabled() {
            state.filter.frame_is_whole();
        }
        let layout = Layout::whole(length);
        account(counters, state, record, &frame, context, layout);
    }
    XDP_PASS
}

#[classifier]
pub fn packet_tcx(context: TcContext) -> i32 {
    classify(&context, Flags::default())
}

#[classifier]
pub fn packet_tcx_egress(context: TcContext) -> i32 {
    classify(&context, Flags::SENT)
}

/// Handles a packet of TCX. `direction` is a flag for its record.
#[inline(always)]
fn classify(context: &TcContext, direction: Flags) -> i32 {
    let Some((counters, state, record)) = maps::cpu() else { return TC_ACT_UNSPEC };
    // The headers are nearly always in the linear part, which is all that can be read directly. Only if they are not, the
    // second round asks the kernel to move them there, which costs a copy.
    for round in 0..2 {
        ring::clear(record);
        record.flags = direction;
        record.frame_length = context.len();
        let length = context.len();
        let frame = Linear::new(context.data(), context.data_end(), length, &mut state.verifier_scratch);
        let mut layout = Layout::whole(length);
        if NO_ETHERNET.load() == 0 {
            read_with_ethernet(context, direction, &frame, record, state, &mut layout);
        } else {
            read_without_ethernet(context, &frame, record, state);
        }
        if record.fault == Fault::OutOfReach as u8 && round == 0 {
            cold_path();
            let wanted = if length < MOST_HEADERS { length } else { MOST_HEADERS };
            if context.pull_data(wanted).is_ok() {
                continue;
            }
        }
        let frame = Linear::new(context.data(), context.data_end(), length, &mut state.verifier_scratch);
        account(counters, state, record, &frame, context, layout);
        break;
    }
    TC_ACT_UNSPEC
}

#[inline(always)]
fn read_with_ethernet(
    context: &TcContext,
    direction: Flags,
    frame: &Linear,
    record: &mut Record,
    state: &mut CpuState,
    layout: &mut Layout,
) {
    let tag = restore_tag(context, record);
    layout.tag = u32::from_ne_bytes(tag.unwrap_or([0; 4]));
    // Looked for once. Linux 6.18 before its fix of `regsafe` in 2026 takes a pointer that it knows to be beyond the packet's
    // end for one that it knows nothing of, and removes what would follow from a second look.
    let first = frame.header::<ETHERNET>(0);
    if let Some(header) = first
        && begins_with_ethernet(context, direction == Flags::SENT)
    {
        if filter::enabled() {
            state.filter.frame_begins_with(header, tag, ETHERNET);
        }
        return packet_parser::parse_after(header, frame, ETHERNET, record);
    }
    cold_path();
    let Some(header) = ethernet_header(context, &mut state.ethernet_header) else {
        record.fault = Fault::EthernetTruncated as u8;
        return;
    };
    // After an XDP program in generic mode, the packet's data may begin behind the Ethernet header.
    let is_in_frame = first.is_some_and(|first| same(first, header));
    let offset = if is_in_frame { ETHERNET } else { 0 };
    if !is_in_frame {
        layout.ethernet_is_apart = 1;
    }
    record.frame_length += (ETHERNET - offset) as u32;
    if filter::enabled() {
        state.filter.frame_begins_with(header, tag, offset);
    }
    packet_parser::parse_after(header, frame, frame.hide(offset), record);
}

#[inline(always)]
fn read_without_ethernet(context: &TcContext, frame: &Linear, record: &mut Record, state: &mut CpuState) {
    // SAFETY: the context is the one that the kernel passed. The protocol is 16 bits in network byte order.
    record.ethertype = u16::from_be(unsafe { (*context.skb.skb).protocol } as u16);
    packet_parser::parse_without_ethernet(frame, record);
    if filter::enabled() {
        let [high, low] = record.ethertype.to_be_bytes();
        let header = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, low];
        state.filter.frame_begins_with(&header, None, 0);
    }
}

/// Returns whether the packet's data begins with an Ethernet header for certain, which spares a call of the kernel.
///
/// Before the kernel runs a classifier on a received packet, it notes the packet's length, which `wire_len` shows, and then
/// puts the link layer's header back before the data (`sch_handle_ingress` and `tcx_run` in net/core/dev.c). The length of a
/// sent packet, whose data begin with that header in any case, includes it (`__dev_queue_xmit`). Segments that belong
/// together may have another `wire_len`; then the answer is that it is not certain.
#[inline(always)]
fn begins_with_ethernet(context: &TcContext, is_sent: bool) -> bool {
    // SAFETY: the context is the one that the kernel passed.
    let noted = unsafe { (*context.skb.skb).wire_len };
    let put_back = if is_sent { 0 } else { ETHERNET as u32 };
    context.len().wrapping_sub(noted) == put_back
}

/// Reads the Ethernet header into `buffer`, from where the kernel has noted it to be.
#[inline(always)]
fn ethernet_header<'a>(context: &TcContext, buffer: &'a mut [u8; 16]) -> Option<&'a [u8; ETHERNET]> {
    // SAFETY: the context is the one that the kernel passed. The helper writes `ETHERNET` bytes, and the buffer is longer.
    let outcome = unsafe {
        bpf_skb_load_bytes_relative(
            context.skb.skb.cast(),
            0,
            buffer.as_mut_ptr().cast(),
            ETHERNET as u32,
            BPF_HDR_START_MAC,
        )
    };
    if outcome == 0 { buffer.first_chunk() } else { None }
}

/// Compares two headers in words: `==` would be a call that compares bytes.
#[inline(always)]
fn same(one: &[u8; ETHERNET], other: &[u8; ETHERNET]) -> bool {
    let word = |bytes: &[u8; 8]| u64::from_ne_bytes(*bytes);
    let words = |bytes: &[u8; ETHERNET]| (bytes.first_chunk().map(word), bytes.last_chunk().map(word));
    words(one) == words(other)
}

/// Restores the outer VLAN tag, which the kernel takes off before it runs a classifier. Returns the tag's bytes.
#[inline(always)]
fn restore_tag(context: &TcContext, record: &mut Record) -> Option<[u8; 4]> {
    // SAFETY: the context is the one that the kernel passed.
    let (tagged, tag, ethertype) = unsafe {
        let skb = context.skb.skb;
        ((*skb).vlan_present, (*skb).vlan_tci, (*skb).vlan_proto)
    };
    if tagged == 0 {
        return None;
    }
    cold_path();
    record.frame_length += 4;
    record.vlan[0] = tag as u16;
    record.vlan_tags = 1;
    // 16 bits in network byte order.
    let ethertype = u16::from_be(ethertype as u16);
    if ethertype != 0x8100 {
        record.flags |= Flags::SERVICE_TAG;
    }
    let ([type_high, type_low], [high, low]) = (ethertype.to_be_bytes(), (tag as u16).to_be_bytes());
    Some([type_high, type_low, high, low])
}

/// Counts the packet, and hands its record to the reader if filter and sampling choose it.
#[inline(always)]
fn account(
    counters: &mut Counters,
    state: &mut CpuState,
    record: &mut Record,
    frame: &Linear,
    context: &impl EbpfContext,
    layout: Layout,
) {
    barrier::hide_from_verifier();
    let control = maps::control();
    counting::class(counters, record);
    if control.is_self_traffic(record) {
        cold_path();
        return counting::self_traffic(counters, record);
    }
    if filter::enabled() && !filter::accepts(frame, &mut state.filter) {
        return counting::filtered_out(counters);
    }
    if flows::enabled() && record.version != 0 {
        let time = state.clock.now();
        flows::add(record, state.ring.cpu(), time, &mut state.flow_number);
        counting::flow(counters, record);
    }
    if control.ratio == 0 {
        return counting::sampled_out(counters);
    }
    let Some(indexes) = state.ring.indexes() else {
        cold_path();
        return counting::lost(counters);
    };
    let unread = state.ring.unread(indexes);
    let ratio = sampling::choose(&mut state.sampling, control.ratio, unread);
    if ratio == 0 {
        return counting::sampled_out(counters);
    }
    if unread >= ring::length() - 1 {
        cold_path();
        return counting::lost(counters);
    }
    record.ratio = ratio;
    record.time = if capture::enabled() { exact_time() } else { state.clock.now() };
    capture::copy(context, record, layout, &state.ethernet_header);
    if !state.ring.hand_over(record, indexes) {
        return counting::lost(counters);
    }
    counting::shown(counters);
}

/// Returns the time of `CLOCK_MONOTONIC` in nanoseconds.
#[inline(always)]
fn exact_time() -> u64 {
    // SAFETY: the helper has no arguments.
    unsafe { bpf_ktime_get_ns() }
}

#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    // The compiler removes this function. If it did not, the verifier would refuse the endless loop.
    loop {}
}

/// The license as the kernel reads it. Its text is in LICENSE-MIT and LICENSE-APACHE.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
