//! Asks FRR's shell, over ssh.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use serde_json::Value;

use super::sections::Sections;
use super::ssh;
use crate::status::facts::{Answer, RouterFacts, RouterSession};
use crate::status::failure::ProbeError;

pub(super) async fn ask(destination: &str, gateway: Ipv4Addr, limit: Duration) -> Answer<RouterFacts> {
    // OPNsense keeps it below /usr/local. What it complains of goes where its answer is expected.
    let script = format!(
        "PATH=$PATH:/usr/local/bin:/usr/sbin:/sbin; export PATH\n\
         echo '== summary'\n\
         vtysh -c 'show bgp ipv4 unicast summary json' 2>&1\n\
         echo '== route'\n\
         vtysh -c 'show ip route {gateway}/32 json' 2>&1\n\
         echo '== end'\n"
    );
    parse(&ssh::run(destination, &script, limit).await?)
}

fn parse(said: &str) -> Answer<RouterFacts> {
    let sections = Sections::parse(said)?;
    let summary = json(sections.get("summary")?)?;
    let route = json(sections.get("route")?)?;
    Ok(RouterFacts { sessions: sessions(&summary), next_hops: next_hops(&route) })
}

/// The object in what is said. Complaints may stand before it.
fn json(said: &str) -> Answer<Value> {
    let start = said.find('{').unwrap_or(0);
    let text = said.get(start..).unwrap_or_default();
    serde_json::from_str(text)
        .map_err(|_| ProbeError::unexpected(said.lines().next().unwrap_or("vtysh says nothing").trim()))
}

/// Without any neighbor the summary has no `peers`.
fn sessions(summary: &Value) -> std::collections::BTreeMap<IpAddr, RouterSession> {
    let peers = summary["peers"].as_object().into_iter().flatten();
    let sessions = peers.filter_map(|(address, peer)| {
        let state = peer["state"].as_str().unwrap_or("unknown");
        let session = if state == "Established" {
            RouterSession::Established {
                uptime: peer["peerUptime"].as_str().map(str::to_owned),
                routes: peer["pfxRcd"].as_u64(),
            }
        } else {
            RouterSession::Down { state: state.to_lowercase() }
        };
        Some((address.parse().ok()?, session))
    });
    sessions.collect()
}

/// Those of the route that is in use.
fn next_hops(route: &Value) -> Vec<IpAddr> {
    let routes =
        route.as_object().into_iter().flatten().filter_map(|(_, routes)| routes.as_array()).flatten();
    let selected = routes.filter(|route| route["selected"] == true);
    let hops = selected.filter_map(|route| route["nexthops"].as_array()).flatten();
    let mut hops: Vec<_> =
        hops.filter(|hop| hop["active"] == true).filter_map(|hop| hop["ip"].as_str()?.parse().ok()).collect();
    hops.sort();
    hops.dedup();
    hops
}
