//! Asks FRR's shell, over ssh.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::Value;

use super::script_output;
use super::sections::{END, MARK, Sections};
use crate::operate::status::facts::{Answer, RouterFacts, RouterSession};
use crate::operate::status::failure::ProbeError;

pub(super) async fn ask(destination: &str, gateways: &[IpAddr], limit: Duration) -> Answer<RouterFacts> {
    // OPNsense keeps it below /usr/local. What it complains of goes where its answer is expected.
    let mut script = "PATH=$PATH:/usr/local/bin:/usr/sbin:/sbin; export PATH\n".to_owned();
    for gateway in gateways {
        let (family, routes) = if gateway.is_ipv4() { ("ipv4", "ip") } else { ("ipv6", "ipv6") };
        let prefix = IpNet::from(*gateway);
        let _ = write!(
            script,
            "echo '{MARK}summary {family}'\n\
             vtysh -c 'show bgp {family} unicast summary json' 2>&1\n\
             echo '{MARK}route {gateway}'\n\
             vtysh -c 'show {routes} route {prefix} json' 2>&1\n"
        );
    }
    let _ = writeln!(script, "echo '{MARK}{END}'");
    parse(&script_output(destination, &script, limit).await?, gateways)
}

fn parse(said: &str, gateways: &[IpAddr]) -> Answer<RouterFacts> {
    let sections = Sections::parse(said)?;
    let mut facts = RouterFacts::default();
    for gateway in gateways {
        let family = if gateway.is_ipv4() { "ipv4" } else { "ipv6" };
        let summary = json(sections.get(&format!("summary {family}"))?)?;
        let of_family = self::sessions(&summary).into_iter();
        // A session is counted where its own family's routes are: FRR may list it under both.
        facts.sessions.extend(of_family.filter(|(node, _)| node.is_ipv4() == gateway.is_ipv4()));
        let route = json(sections.get(&format!("route {gateway}"))?)?;
        facts.next_hops.insert(*gateway, next_hops(&route));
    }
    Ok(facts)
}

/// The object in what is said. Complaints may stand before it.
fn json(said: &str) -> Answer<Value> {
    let start = said.find('{').unwrap_or(0);
    let text = said.get(start..).unwrap_or_default();
    serde_json::from_str(text)
        .map_err(|_| ProbeError::unexpected(said.lines().next().unwrap_or("vtysh says nothing").trim()))
}

/// Without any neighbor the summary has no `peers`.
fn sessions(summary: &Value) -> BTreeMap<IpAddr, RouterSession> {
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
