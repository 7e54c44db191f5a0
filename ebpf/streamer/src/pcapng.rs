//! Blocks of pcapng files (draft-ietf-opsawg-pcapng), in little-endian byte order.

use crate::capture::LinkType;
use crate::row::UnixNanos;
use packet_record::CaptureHead;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
const INTERFACE_DESCRIPTION: u32 = 1;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;

/// Option codes, each of which belongs to one kind of block.
const END_OF_OPTIONS: u16 = 0;
const APPLICATION: u16 = 4;
const INTERFACE_NAME: u16 = 2;
const TIME_RESOLUTION: u16 = 9;
const RECEIVED: u16 = 4;
const DROPPED: u16 = 5;
const PACKET_FLAGS: u16 = 2;

/// Values of the option `PACKET_FLAGS`.
const INBOUND: u32 = 1;
const OUTBOUND: u32 = 2;

/// Appends a block: its type, its length before and after, and the body that `fill` writes.
fn block(out: &mut Vec<u8>, kind: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend(kind.to_le_bytes());
    out.extend([0; 4]);
    fill(out);
    pad(out, start);
    let length = u32::try_from(out.len() - start + 4).unwrap_or(u32::MAX).to_le_bytes();
    if let Some(place) = out.get_mut(start + 4..start + 8) {
        place.copy_from_slice(&length);
    }
    out.extend(length);
}

/// Pads what was written since `start` to a multiple of four bytes.
fn pad(out: &mut Vec<u8>, start: usize) {
    out.resize(start + (out.len() - start).next_multiple_of(4), 0);
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = value.get(..usize::from(u16::MAX)).unwrap_or(value);
    out.extend(code.to_le_bytes());
    out.extend(u16::try_from(value.len()).unwrap_or_default().to_le_bytes());
    let start = out.len();
    out.extend(value);
    pad(out, start);
}

fn time(out: &mut Vec<u8>, time: UnixNanos) {
    let [a, b, c, d, high @ ..] = time.unsigned_abs().to_le_bytes();
    out.extend(high);
    out.extend([a, b, c, d]);
}

/// Appends the block that begins a file.
pub fn section(out: &mut Vec<u8>) {
    block(out, SECTION_HEADER, |out| {
        out.extend(BYTE_ORDER.to_le_bytes());
        // Version 1.0.
        out.extend([1, 0, 0, 0]);
        // The length of the section is not known.
        out.extend((-1_i64).to_le_bytes());
        option(out, APPLICATION, concat!("xdp-streamer ", env!("CARGO_PKG_VERSION")).as_bytes());
        option(out, END_OF_OPTIONS, &[]);
    });
}

/// Appends the description of an interface. Interfaces are numbered from 0, in the order of their descriptions.
pub fn interface(out: &mut Vec<u8>, name: &str, link: LinkType, snaplen: u32) {
    block(out, INTERFACE_DESCRIPTION, |out| {
        // LINKTYPE_ETHERNET or LINKTYPE_RAW, of which the second begins with an IP header.
        let link: u16 = match link {
            LinkType::Ethernet => 1,
            LinkType::Ip => 101,
            // Not streamed. LINKTYPE_USER0 says nothing of the packets.
            LinkType::Other(_) => 147,
        };
        out.extend(link.to_le_bytes());
        out.extend([0; 2]);
        out.extend(snaplen.to_le_bytes());
        option(out, INTERFACE_NAME, name.as_bytes());
        // Times are in nanoseconds.
        option(out, TIME_RESOLUTION, &[9]);
        option(out, END_OF_OPTIONS, &[]);
    });
}

/// Appends a packet.
///
/// An Ethernet header or a VLAN tag that the kernel keeps apart from the packet is put back to its place. The packet is cut
/// to `snaplen` bytes.
pub fn packet(
    out: &mut Vec<u8>,
    interface: u32,
    snaplen: u32,
    unix: UnixNanos,
    head: &CaptureHead,
    bytes: &[u8],
) {
    const MACS: usize = 12;
    const ETHERNET: usize = 14;
    block(out, ENHANCED_PACKET, |out| {
        out.extend(interface.to_le_bytes());
        time(out, unix);
        let lengths = out.len();
        out.extend([0; 8]);
        let start = out.len();
        if head.ethernet_is_apart != 0 {
            out.extend(head.ethernet.iter().take(ETHERNET));
        }
        out.extend(bytes);
        if head.tag != 0 && out.len() >= start + MACS {
            out.splice(start + MACS..start + MACS, head.tag.to_ne_bytes());
        }
        out.truncate(start + snaplen as usize);
        let captured = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
        let original = head.frame_length.max(captured);
        if let Some(place) = out.get_mut(lengths..start) {
            place[..4].copy_from_slice(&captured.to_le_bytes());
            place[4..].copy_from_slice(&original.to_le_bytes());
        }
        pad(out, start);
        let direction = if head.is_sent == 0 { INBOUND } else { OUTBOUND };
        option(out, PACKET_FLAGS, &direction.to_le_bytes());
        option(out, END_OF_OPTIONS, &[]);
    });
}

/// Appends the statistics of an interface: the packets that were received, and those that are missing in the file.
pub fn statistics(out: &mut Vec<u8>, interface: u32, unix: UnixNanos, received: u64, dropped: u64) {
    block(out, INTERFACE_STATISTICS, |out| {
        out.extend(interface.to_le_bytes());
        time(out, unix);
        option(out, RECEIVED, &received.to_le_bytes());
        option(out, DROPPED, &dropped.to_le_bytes());
        option(out, END_OF_OPTIONS, &[]);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(snaplen: u32, head: &CaptureHead, bytes: &[u8]) -> (u32, u32, Vec<u8>) {
        let mut out = vec![9; 3];
        packet(&mut out, 1, snaplen, 0x0123_4567_89ab_cdef, head, bytes);
        let block = out.split_off(3);
        let word = |at: usize| u32::from_le_bytes(block[at..at + 4].try_into().unwrap());
        assert_eq!(
            (word(0), word(4) as usize, word(block.len() - 4) as usize),
            (6, block.len(), block.len())
        );
        assert_eq!((word(8), word(12), word(16)), (1, 0x0123_4567, 0x89ab_cdef));
        let captured = word(20);
        let options = 28 + (captured as usize).next_multiple_of(4);
        assert_eq!((block[options], word(options + 4)), (2, 1 + head.is_sent));
        (captured, word(24), block[28..28 + captured as usize].to_vec())
    }

    #[test]
    fn a_packet_is_written_byte_for_byte() {
        let frame: Vec<u8> = (0..61).collect();
        let head = CaptureHead { frame_length: 61, length: 61, ..CaptureHead::default() };
        assert_eq!(written(65_535, &head, &frame), (61, 61, frame.clone()));
        let head = CaptureHead { frame_length: 1500, length: 61, ..CaptureHead::default() };
        assert_eq!(written(61, &head, &frame), (61, 1500, frame));
    }

    #[test]
    fn a_header_and_a_tag_that_lie_apart_are_put_back() {
        let frame: Vec<u8> = (0..64).collect();
        let head = CaptureHead {
            frame_length: 68,
            length: 50,
            ethernet: std::array::from_fn(|at| u8::try_from(at).unwrap()),
            ethernet_is_apart: 1,
            tag: u32::from_ne_bytes([0x81, 0, 0x20, 0x64]),
            ..CaptureHead::default()
        };
        let expected = [&frame[..12], &[0x81, 0, 0x20, 0x64], &frame[12..]].concat();
        assert_eq!(written(65_535, &head, &frame[14..]), (68, 68, expected.clone()));
        assert_eq!(written(20, &head, &frame[14..]), (20, 68, expected[..20].to_vec()));
    }
}
