//! What precedes the bytes of a captured packet.

/// The head of an event of [`map::PACKETS`](crate::map::PACKETS). The packet's first `length` bytes follow it, and up to
/// seven bytes of padding. Numbers are in host byte order unless stated otherwise.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaptureHead {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub time: u64,
    /// As [`Record::frame_length`](crate::Record::frame_length).
    pub frame_length: u32,
    /// How many bytes follow.
    pub length: u32,
    /// The Ethernet header in the first 14 bytes, if the packet's bytes begin behind it.
    pub ethernet: [u8; 16],
    /// 1 if the packet's bytes begin behind the Ethernet header, else 0.
    pub ethernet_is_apart: u32,
    /// The VLAN tag that the kernel has taken out of the packet, in the order of its bytes in a frame; zero for none.
    pub tag: u32,
    /// 1 for a packet that the host has sent, 0 for one that it has received.
    pub is_sent: u32,
    /// Zero.
    pub reserved: u32,
}

/// The length of a [`CaptureHead`].
pub const CAPTURE_HEAD: usize = size_of::<CaptureHead>();

impl CaptureHead {
    /// Reads the head of an event. Returns None if `bytes` is too short.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..CAPTURE_HEAD)?;
        // SAFETY: the slice is as long as a head, and every byte pattern is a head: integers only, no padding.
        Some(unsafe { bytes.as_ptr().cast::<Self>().read_unaligned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_no_padding() {
        assert_eq!(CAPTURE_HEAD, 8 + 4 + 4 + 16 + 4 + 4 + 4 + 4);
    }

    #[test]
    fn bytes_are_read_in_their_order() {
        let mut bytes = [0; CAPTURE_HEAD + 3];
        bytes[12] = 7;
        bytes[16] = 2;
        let head = CaptureHead::from_bytes(&bytes).unwrap();
        assert_eq!((head.length.to_le(), head.ethernet[0]), (7, 2));
        assert_eq!(CaptureHead::from_bytes(&bytes[..CAPTURE_HEAD - 1]), None);
    }
}
