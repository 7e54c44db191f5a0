//! The JSON of FRR's `vtysh`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use super::session::{Session, sorted};

/// Returns the JSON object in what `vtysh` prints. Complaints may stand before it.
pub(in crate::operate) fn object(printed: &str) -> Option<Value> {
    let text = printed.find('{').and_then(|start| printed.get(start..))?;
    serde_json::from_str(text).ok()
}

/// Reads `show bgp ipv4 unicast summary json`, by the address of each neighbor.
///
/// Without any neighbor the summary has no `peers`.
pub(in crate::operate) fn sessions(summary: &Value) -> BTreeMap<IpAddr, Session> {
    let peers = summary["peers"].as_object().into_iter().flatten();
    let sessions = peers.filter_map(|(address, peer)| {
        let state = peer["state"].as_str().unwrap_or("unknown");
        let session = if state == "Established" {
            Session::Established {
                uptime: peer["peerUptime"].as_str().map(str::to_owned),
                routes: peer["pfxRcd"].as_u64(),
            }
        } else {
            Session::Down { state: state.to_lowercase() }
        };
        Some((address.parse().ok()?, session))
    });
    sessions.collect()
}

/// Reads the networks of `show bgp ipv4 unicast json`.
pub(in crate::operate) fn networks(table: &Value) -> Vec<IpNet> {
    let routes = table["routes"].as_object().into_iter().flatten();
    routes.filter_map(|(network, _)| network.parse().ok()).collect()
}

/// Reads the next hops of the route in use from `show ip route PREFIX json`.
pub(in crate::operate) fn next_hops(route: &Value) -> Vec<IpAddr> {
    let routes =
        route.as_object().into_iter().flatten().filter_map(|(_, routes)| routes.as_array()).flatten();
    let selected = routes.filter(|route| route["selected"] == true);
    let hops = selected.filter_map(|route| route["nexthops"].as_array()).flatten();
    let active = hops.filter(|hop| hop["active"] == true);
    sorted(active.filter_map(|hop| hop["ip"].as_str()?.parse().ok()).collect())
}
