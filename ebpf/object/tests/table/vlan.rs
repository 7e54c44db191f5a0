//! VLAN tags.

use crate::expectation::{DATA, Reading, UDP, framed, ports, version4};
use crate::packets::{IPV4, Ipv4, SERVICE_VLAN, VLAN, ethernet, tag, udp};
use packet_record::{Flags, Protocol, Record};

#[test]
fn vlan_tags() {
    let mut reading = Reading::new("VLAN tags in the kernel");
    let inner = Ipv4::of(UDP).before(&udp(1234, 53, &DATA));
    let tagged = |packet: &[u8], tags: u8| Record {
        vlan_tags: tags,
        network_length: inner.len() as u32,
        ..ports(version4(packet, UDP, Protocol::UdpIpv4))
    };

    let packet = ethernet(VLAN, &tag(0x6123, IPV4, &inner));
    reading.expect("one tag", &packet, Record { vlan: [0x6123, 0], ..tagged(&packet, 1) });

    for service in [SERVICE_VLAN, 0x9100] {
        let packet = ethernet(service, &tag(100, VLAN, &tag(200, IPV4, &inner)));
        let expected =
            Record { vlan: [100, 200], flags: Flags::PORTS | Flags::SERVICE_TAG, ..tagged(&packet, 2) };
        reading.expect("two tags", &packet, expected);
    }

    let packet = ethernet(VLAN, &tag(1, VLAN, &tag(2, VLAN, &tag(3, IPV4, &inner))));
    let expected = Record { vlan: [1, 2], vlan_tags: 2, ..framed(&packet, VLAN) };
    reading.expect("three tags", &packet, expected);
}
