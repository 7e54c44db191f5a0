//! The text of BIRD's `birdc`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::session::{Session, sorted};

/// Returns whether BIRD itself has printed this, and not the shell that should have called it.
pub(in crate::operate) fn is_answer(printed: &str) -> bool {
    printed.lines().any(|line| line.trim_start().starts_with("BIRD ") && line.contains("ready"))
}

/// Reads `show protocols all`, by the address of each neighbor.
///
/// The line of a protocol begins at the margin; its details are indented.
pub(in crate::operate) fn sessions(protocols: &str) -> BTreeMap<IpAddr, Session> {
    let mut sessions = BTreeMap::new();
    let (mut state, mut address) = (None, None);
    for line in protocols.lines() {
        if !line.starts_with(' ') {
            (state, address) = (None, None);
        }
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match key.trim() {
            "BGP state" => state = Some(value),
            "Neighbor address" => address = value.parse::<IpAddr>().ok(),
            // `Routes: 1 imported, 0 exported, 1 preferred`
            "Routes" => {
                let imported = value.split(' ').next().and_then(|count| count.parse().ok());
                let session = address.and_then(|address| sessions.get_mut(&address));
                if let Some(Session::Established { routes, .. }) = session {
                    *routes = imported;
                }
            }
            _ => {}
        }
        if let (Some(state), Some(address)) = (state, address) {
            sessions.entry(address).or_insert_with(|| match state {
                "Established" => Session::Established { uptime: None, routes: None },
                state => Session::Down { state: state.to_lowercase() },
            });
        }
    }
    sessions
}

/// Reads the networks of `show route`.
pub(in crate::operate) fn networks(routes: &str) -> Vec<IpNet> {
    let first_words = routes.lines().filter_map(|line| line.split_whitespace().next());
    let mut networks: Vec<_> = first_words.filter_map(|word| word.parse().ok()).collect();
    networks.dedup();
    networks
}

/// Reads the next hops of `show route PREFIX`, which `merge paths` makes one route of: `via 172.16.10.221 on eth0`.
pub(in crate::operate) fn next_hops(route: &str) -> Vec<IpAddr> {
    let via = route.lines().filter_map(|line| line.trim_start().strip_prefix("via "));
    sorted(via.filter_map(|rest| rest.split(' ').next()?.parse().ok()).collect())
}
