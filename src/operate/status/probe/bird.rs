//! Asks BIRD's shell, over ssh.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::script_output;
use super::sections::{END, MARK, Sections};
use crate::operate::status::facts::{Answer, RouterFacts, RouterSession};
use crate::operate::status::failure::ProbeError;

pub(super) async fn ask(destination: &str, gateways: &[IpAddr], limit: Duration) -> Answer<RouterFacts> {
    // `-r`: it may look, not touch.
    let mut script = format!(
        "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH\n\
         echo '{MARK}protocols'\n\
         birdc -r show protocols all 2>&1\n"
    );
    for gateway in gateways {
        let prefix = IpNet::from(*gateway);
        let _ = write!(script, "echo '{MARK}route {gateway}'\nbirdc -r show route {prefix} 2>&1\n");
    }
    let _ = writeln!(script, "echo '{MARK}{END}'");
    parse(&script_output(destination, &script, limit).await?, gateways)
}

fn parse(said: &str, gateways: &[IpAddr]) -> Answer<RouterFacts> {
    let sections = Sections::parse(said)?;
    let protocols = sections.get("protocols")?;
    let is_answer =
        protocols.lines().any(|line| line.trim_start().starts_with("BIRD ") && line.contains("ready"));
    if !is_answer {
        let complaint = protocols.lines().last().unwrap_or("birdc says nothing").trim();
        return Err(ProbeError::unexpected(complaint));
    }
    let hops =
        gateways.iter().map(|gateway| Ok((*gateway, next_hops(sections.get(&format!("route {gateway}"))?))));
    Ok(RouterFacts { sessions: sessions(protocols), next_hops: hops.collect::<Answer<_>>()? })
}

/// A protocol's line begins at the margin, what belongs to it does not.
fn sessions(protocols: &str) -> BTreeMap<IpAddr, RouterSession> {
    let mut sessions = BTreeMap::new();
    let mut state = None;
    let mut address = None;
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
                if let Some(RouterSession::Established { routes, .. }) =
                    address.and_then(|address| sessions.get_mut(&address))
                {
                    *routes = imported;
                }
            }
            _ => {}
        }
        if let (Some(state), Some(address)) = (state, address) {
            sessions.entry(address).or_insert_with(|| match state {
                "Established" => RouterSession::Established { uptime: None, routes: None },
                state => RouterSession::Down { state: state.to_lowercase() },
            });
        }
    }
    sessions
}

/// `via 172.16.10.221 on eth0`: what `merge paths` makes one route of.
fn next_hops(route: &str) -> Vec<IpAddr> {
    let via = route.lines().filter_map(|line| line.trim_start().strip_prefix("via "));
    let mut hops: Vec<IpAddr> = via.filter_map(|rest| rest.split(' ').next()?.parse().ok()).collect();
    hops.sort();
    hops.dedup();
    hops
}
