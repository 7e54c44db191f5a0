//! Packets built from the inside out: each function puts one header before its payload.
#![allow(dead_code, reason = "each test and benchmark needs some of them")]
#![allow(clippy::cast_possible_truncation, reason = "packets of tests are short")]

pub(crate) const SOURCE_MAC: [u8; 6] = [0x00, 0x11, 0x32, 0xe5, 0x79, 0x5c];
pub(crate) const HOST_MAC: [u8; 6] = [0x02, 0x00, 0x00, 0x00, 0x00, 0x01];
pub(crate) const GROUP_MAC: [u8; 6] = [0x01, 0x00, 0x5e, 0x7f, 0xff, 0xfa];
pub(crate) const V4_SOURCE: [u8; 4] = [172, 16, 10, 208];
pub(crate) const V4_DESTINATION: [u8; 4] = [239, 255, 255, 250];
pub(crate) const V6_SOURCE: [u8; 16] = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01];
pub(crate) const V6_DESTINATION: [u8; 16] = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02];

pub(crate) const IPV4: u16 = 0x0800;
pub(crate) const ARP: u16 = 0x0806;
pub(crate) const VLAN: u16 = 0x8100;
pub(crate) const SERVICE_VLAN: u16 = 0x88a8;
pub(crate) const IPV6: u16 = 0x86dd;

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

pub(crate) fn ethernet_to(destination: [u8; 6], ethertype: u16, payload: &[u8]) -> Vec<u8> {
    join(&[&destination, &SOURCE_MAC, &ethertype.to_be_bytes(), payload])
}

pub(crate) fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    ethernet_to(HOST_MAC, ethertype, payload)
}

/// Returns the bytes after a tag's EtherType: the tag control information and the next EtherType.
pub(crate) fn tag(tci: u16, ethertype: u16, payload: &[u8]) -> Vec<u8> {
    join(&[&tci.to_be_bytes(), &ethertype.to_be_bytes(), payload])
}

/// The fields of an IPv4 header that tests vary.
#[derive(Clone, Copy)]
pub(crate) struct Ipv4<'a> {
    pub(crate) protocol: u8,
    /// Flags and fragment offset as in the header.
    pub(crate) fragment: u16,
    pub(crate) options: &'a [u8],
    /// A header length in place of the right one.
    pub(crate) header_words: Option<u8>,
    /// A total length in place of the right one.
    pub(crate) total_length: Option<u16>,
}

impl Ipv4<'_> {
    pub(crate) const fn of(protocol: u8) -> Self {
        Self { protocol, fragment: 0, options: &[], header_words: None, total_length: None }
    }

    pub(crate) fn before(&self, payload: &[u8]) -> Vec<u8> {
        let length = 20 + self.options.len();
        let words = self.header_words.unwrap_or((length / 4) as u8);
        let total = self.total_length.unwrap_or((length + payload.len()) as u16);
        join(&[
            &[0x40 | words, 0xb8],
            &total.to_be_bytes(),
            &[0x12, 0x34],
            &self.fragment.to_be_bytes(),
            &[1, self.protocol, 0, 0],
            &V4_SOURCE,
            &V4_DESTINATION,
            self.options,
            payload,
        ])
    }
}

pub(crate) fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    ipv6_of_length(payload.len() as u16, next, payload)
}

pub(crate) fn ipv6_of_length(length: u16, next: u8, payload: &[u8]) -> Vec<u8> {
    // Traffic class 0xb8, flow label 0x12345.
    let start = [0x6b, 0x81, 0x23, 0x45];
    join(&[&start, &length.to_be_bytes(), &[next, 64], &V6_SOURCE, &V6_DESTINATION, payload])
}

/// Returns hop-by-hop options, a routing header or destination options, `words` of eight bytes longer than the shortest.
pub(crate) fn extension(next: u8, words: u8, payload: &[u8]) -> Vec<u8> {
    let filling = vec![0; 6 + 8 * usize::from(words)];
    join(&[&[next, words], &filling, payload])
}

/// Returns an authentication header (RFC 4302) of `words` + 2 words of four bytes.
pub(crate) fn authentication(next: u8, words: u8, payload: &[u8]) -> Vec<u8> {
    let filling = vec![0; 6 + 4 * usize::from(words)];
    join(&[&[next, words], &filling, payload])
}

/// Returns a fragment header with its `offset` in units of eight bytes.
pub(crate) fn ipv6_fragment(next: u8, offset: u16, more: bool, payload: &[u8]) -> Vec<u8> {
    let field = (offset << 3) | u16::from(more);
    join(&[&[next, 0], &field.to_be_bytes(), &[0xde, 0xad, 0xbe, 0xef], payload])
}

pub(crate) fn udp(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len()) as u16;
    join(&[&source.to_be_bytes(), &destination.to_be_bytes(), &length.to_be_bytes(), &[0, 0], payload])
}

/// Returns a TCP header. `start` is data offset, reserved bits and flags.
pub(crate) fn tcp(source: u16, destination: u16, start: u16, payload: &[u8]) -> Vec<u8> {
    let numbers = [1, 2, 3, 4, 5, 6, 7, 8];
    let end = [0x20, 0, 0, 0, 0, 0];
    join(&[&source.to_be_bytes(), &destination.to_be_bytes(), &numbers, &start.to_be_bytes(), &end, payload])
}

pub(crate) fn sctp(source: u16, destination: u16) -> Vec<u8> {
    join(&[&source.to_be_bytes(), &destination.to_be_bytes(), &[0; 8], &[0, 3, 0, 4]])
}

pub(crate) fn icmp(kind: u8, code: u8) -> Vec<u8> {
    vec![kind, code, 0, 0, 0, 1, 0, 2]
}

pub(crate) fn arp(operation: u16) -> Vec<u8> {
    join(&[&[0, 1, 8, 0, 6, 4], &operation.to_be_bytes(), &SOURCE_MAC, &V4_SOURCE, &[0; 6], &V4_DESTINATION])
}

/// Returns a multicast search of SSDP, 143 bytes on the wire.
pub(crate) fn ssdp() -> Vec<u8> {
    let search = b"M-SEARCH * HTTP/1.1\r\nHOST:239.255.255.250:1900\r\nMAN:\"ssdp:discover\"\r\nMX:2\r\nST:ssdp:all\r\n\r\n";
    let mut payload = search.to_vec();
    payload.resize(101, b' ');
    ethernet_to(GROUP_MAC, IPV4, &Ipv4::of(17).before(&udp(50085, 1900, &payload)))
}

/// Returns a multicast datagram of 60 bytes, the shortest frame of Ethernet.
pub(crate) fn short_udp() -> Vec<u8> {
    ethernet_to(GROUP_MAC, IPV4, &Ipv4::of(17).before(&udp(50085, 1900, &[0; 18])))
}

pub(crate) fn tcp_ipv4() -> Vec<u8> {
    ethernet(IPV4, &Ipv4::of(6).before(&tcp(443, 50000, 0x5010, &[0; 100])))
}

pub(crate) fn tcp_ipv6() -> Vec<u8> {
    ethernet(IPV6, &ipv6(6, &tcp(443, 50000, 0x5018, &[0; 100])))
}

pub(crate) fn tagged_tcp_ipv4() -> Vec<u8> {
    let inner = Ipv4::of(6).before(&tcp(443, 50000, 0x5010, &[0; 100]));
    ethernet(SERVICE_VLAN, &tag(100, VLAN, &tag(200, IPV4, &inner)))
}
