//! The packet program. The crate `packet-record` explains what it does with a packet and what each map means.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod barrier;
mod clock;
mod counting;
mod flows;
mod frame;
mod maps;
mod ring;
mod sampling;

use aya_ebpf::bindings::bpf_hdr_start_off::BPF_HDR_START_MAC;
use aya_ebpf::bindings::{TC_ACT_UNSPEC, xdp_action::XDP_PASS};
use aya_ebpf::helpers::generated::{bpf_skb_load_bytes_relative, bpf_xdp_get_buff_len};
use aya_ebpf::macros::{classifier, xdp};
use aya_ebpf::programs::{TcContext, XdpContext};
use packet_parser::{ETHERNET, Frame};
use packet_record::{Counters, Fault, Flags, Record};

use crate::frame::Linear;
use crate::maps::CpuState;

/// The number of bytes that nearly always hold all headers: Ethernet, two tags, IPv6, extension headers and TCP.
const HEADERS: u32 = 256;

#[xdp(frags)]
pub fn packet_xdp(context: XdpContext) -> u32 {
    handle(&context)
}

/// The same for generic mode: `packet_record::program::XDP_GENERIC` says why it is a program of its own.
#[xdp]
pub fn packet_generic(context: XdpContext) -> u32 {
    handle(&context)
}

#[inline(always)]
fn handle(context: &XdpContext) -> u32 {
    if let Some((counters, state)) = maps::cpu()
        && let Some(record) = state.ring.record()
    {
        // SAFETY: the context is the one that the kernel passed.
        record.frame_length = unsafe { bpf_xdp_get_buff_len(context.ctx) } as u32;
        packet_parser::parse(&Linear::new(context.data(), context.data_end(), &mut state.verifier_scratch), record);
        account(counters, state, record);
    }
    XDP_PASS
}

#[classifier]
pub fn packet_tcx(context: TcContext) -> i32 {
    if let Some((counters, state)) = maps::cpu()
        && let Some(record) = state.ring.record()
    {
        record.frame_length = context.len();
        restore_tag(&context, record);
        if context.data_end() - context.data() < HEADERS as usize {
            // Only the linear part can be read directly. Most drivers leave the headers in it.
            let _ = context.pull_data(HEADERS.min(context.len()));
        }
        let frame = Linear::new(context.data(), context.data_end(), &mut state.verifier_scratch);
        match ethernet_header(&context, &mut state.ethernet_header) {
            Some(header) => {
                // After an XDP program in generic mode, the packet's data may begin behind the Ethernet header.
                let is_in_frame = frame.header::<ETHERNET>(0).is_some_and(|first| same(first, header));
                let offset = if is_in_frame { ETHERNET } else { 0 };
                record.frame_length += (ETHERNET - offset) as u32;
                packet_parser::parse_after(header, &frame, frame.hide(offset), record);
            }
            None => record.fault = Fault::EthernetTruncated as u8,
        }
        account(counters, state, record);
    }
    TC_ACT_UNSPEC
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

/// Restores the outer VLAN tag, which the kernel takes off before it runs a classifier.
#[inline(always)]
fn restore_tag(context: &TcContext, record: &mut Record) {
    // SAFETY: the context is the one that the kernel passed.
    let (tagged, tag, ethertype) = unsafe {
        let skb = context.skb.skb;
        ((*skb).vlan_present, (*skb).vlan_tci, (*skb).vlan_proto)
    };
    if tagged != 0 {
        record.frame_length += 4;
        record.vlan[0] = tag as u16;
        record.vlan_tags = 1;
        // 16 bits in network byte order.
        if u16::from_be(ethertype as u16) != 0x8100 {
            record.flags |= Flags::SERVICE_TAG;
        }
    }
}

/// Counts the packet, and hands its record to the reader if the sampling chooses it.
#[inline(always)]
fn account(counters: &mut Counters, state: &mut CpuState, record: &mut Record) {
    barrier::hide_from_verifier();
    let control = maps::control();
    counting::class(counters, record);
    if control.is_self_traffic(record) {
        return counting::self_traffic(counters, record);
    }
    if flows::enabled() && record.version != 0 && !flows::add(record, &mut state.new_flows) {
        counting::untracked(counters, record);
    }
    if control.ratio == 0 {
        return counting::sampled_out(counters);
    }
    let Some(indexes) = state.ring.indexes() else {
        return counting::lost(counters);
    };
    let unread = state.ring.unread(indexes);
    let ratio = sampling::choose(&mut state.sampling, control.ratio, unread);
    if ratio == 0 {
        return counting::sampled_out(counters);
    }
    if unread >= ring::length() - 1 {
        return counting::lost(counters);
    }
    record.ratio = ratio;
    record.time = state.clock.now();
    state.ring.hand_over(indexes);
    counting::shown(counters);
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
