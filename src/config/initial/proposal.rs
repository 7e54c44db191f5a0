//! Proposes the addresses of a cluster in a network of which only one machine and the router are known.
//!
//! Nothing is asked of the network: an address may be taken, or given out by the router's DHCP server.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::config::cluster::SLOTS;

/// The addresses of services that are proposed, at most.
const MOST_SERVICES: u32 = 10;
/// Where the proposed addresses begin in a network of 256 addresses: above the usual range of a DHCP server.
const USUAL_OFFSET: u32 = 220;
/// The modules follow the board's controller.
const FIRST_NODE: u32 = 1;

/// Ranges of which one is proposed for services that are announced to a router.
const POOLS: [[u8; 4]; 3] = [[10, 200, 200, 0], [172, 31, 200, 0], [192, 168, 200, 0]];

/// The network of the machine that `rk1 init` runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalNetwork {
    /// The machine's own address, with the length of the prefix.
    pub machine: Ipv4Net,
    pub gateway: Ipv4Addr,
}

/// Consecutive addresses: the board's controller, its modules, and those of services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposal {
    pub bmc: Ipv4Addr,
    pub first_node: Ipv4Addr,
    pub first_service: Ipv4Addr,
    pub last_service: Ipv4Addr,
}

impl LocalNetwork {
    /// Returns addresses for a board of four modules, or `None` if the network is too small for them.
    ///
    /// They lie in the part of 256 addresses that the router is in.
    #[must_use]
    pub fn propose(&self) -> Option<Proposal> {
        let length = self.machine.prefix_len().max(24);
        let part = Ipv4Net::new(self.gateway, length).ok()?.trunc();
        let (first, last) = (u32::from(part.network()) + 1, u32::from(part.broadcast()).checked_sub(1)?);
        let nodes = u32::from(SLOTS);
        let is_taken = |address: u32| {
            [self.gateway, self.machine.addr()].iter().any(|taken| u32::from(*taken) == address)
        };
        // The longest row that fits, as near to the usual place as possible.
        let of_length = |services: u32| {
            let count = FIRST_NODE + nodes + services;
            let newest = (last + 1).checked_sub(count)?;
            let usual = (u32::from(part.network()) + USUAL_OFFSET).min(newest);
            let is_free = |start: &u32| (*start..start + count).all(|address| !is_taken(address));
            let start = (first..=usual).rev().chain(usual + 1..=newest).find(is_free)?;
            let at = |offset: u32| Ipv4Addr::from(start + offset);
            Some(Proposal {
                bmc: at(0),
                first_node: at(FIRST_NODE),
                first_service: at(FIRST_NODE + nodes),
                last_service: at(count - 1),
            })
        };
        (1..=MOST_SERVICES).rev().find_map(of_length)
    }

    /// Returns a range outside the network for services that are announced to a router.
    #[must_use]
    pub fn propose_pool(&self) -> Option<Ipv4Net> {
        let network = self.machine.trunc();
        let pools = POOLS.iter().filter_map(|octets| Ipv4Net::new((*octets).into(), 24).ok());
        pools.into_iter().find(|pool| !pool.contains(&network) && !network.contains(pool))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(machine: &str, gateway: &str) -> LocalNetwork {
        LocalNetwork { machine: machine.parse().unwrap(), gateway: gateway.parse().unwrap() }
    }

    fn proposed(machine: &str, gateway: &str) -> Option<String> {
        network(machine, gateway).propose().map(|proposal| {
            let Proposal { bmc, first_node, first_service, last_service } = proposal;
            format!("{bmc} {first_node} {first_service}-{last_service}")
        })
    }

    #[test]
    fn addresses_are_proposed_beside_those_that_are_taken() {
        for (machine, gateway, expected) in [
            (
                "192.168.1.23/24",
                "192.168.1.1",
                Some("192.168.1.220 192.168.1.221 192.168.1.225-192.168.1.234"),
            ),
            // The machine has an address of the usual row: the row lies below it.
            (
                "192.168.1.222/24",
                "192.168.1.1",
                Some("192.168.1.207 192.168.1.208 192.168.1.212-192.168.1.221"),
            ),
            // A router at the end of the network.
            (
                "192.168.178.230/24",
                "192.168.178.254",
                Some("192.168.178.215 192.168.178.216 192.168.178.220-192.168.178.229"),
            ),
            // The part of a large network that the router is in.
            ("10.0.3.7/16", "10.0.0.1", Some("10.0.0.220 10.0.0.221 10.0.0.225-10.0.0.234")),
            ("10.0.0.40/27", "10.0.0.33", Some("10.0.0.48 10.0.0.49 10.0.0.53-10.0.0.62")),
            // Eight addresses: the router, this machine, and four between them.
            ("10.0.0.14/29", "10.0.0.9", None),
            ("10.0.0.130/28", "10.0.0.129", Some("10.0.0.131 10.0.0.132 10.0.0.136-10.0.0.142")),
        ] {
            assert_eq!(proposed(machine, gateway).as_deref(), expected, "{machine} {gateway}");
        }
    }

    #[test]
    fn the_pool_is_outside_the_network() {
        let pool = |machine| network(machine, "10.0.0.1").propose_pool().unwrap().to_string();
        assert_eq!(pool("192.168.1.2/24"), "10.200.200.0/24");
        assert_eq!(pool("10.1.2.3/8"), "172.31.200.0/24");
    }
}
