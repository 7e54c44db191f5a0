//! Which addresses belong to a network of one's own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether plain HTTP may go to `address` unasked: loopback, link-local, RFC 1918, or unique local (RFC 4193).
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    address.is_loopback() || address.is_private() || address.is_link_local()
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ones_own() {
        let private = [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.10.1",
            "192.168.1.1",
            "169.254.0.1",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ];
        let public = ["8.8.8.8", "172.32.0.1", "100.64.0.1", "2001:db8::1", "::ffff:8.8.8.8", "0.0.0.0"];
        let verdicts = |list: &[&str]| -> Vec<bool> {
            list.iter().map(|text| is_private(text.parse().unwrap())).collect()
        };
        assert_eq!(verdicts(&private), vec![true; private.len()]);
        assert_eq!(verdicts(&public), vec![false; public.len()]);
    }
}
