//! A router of the lab: FRR or BIRD with its rendered configuration.

use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;
use serde_json::Value;

use super::bird::Bird;
use super::check::LabCheck;
use super::error::LabError;
use super::frr::Frr;
use super::plan::{Daemon, PlannedRouter};
use super::programs::read;

/// A router.
#[derive(Debug)]
pub(super) enum LabRouter {
    Frr(Frr),
    Bird(Bird),
    /// It has no power: no daemon runs.
    Off,
}

impl LabRouter {
    /// Starts the router and applies its configuration twice: the second time must change nothing.
    pub(super) fn start(
        folder: &Path,
        namespace: &str,
        planned: &PlannedRouter,
    ) -> Result<(Self, Vec<LabCheck>), LabError> {
        match planned.daemon {
            Daemon::Frr => Frr::start(folder, namespace, planned).map(|(frr, found)| (Self::Frr(frr), found)),
            Daemon::Bird => {
                Bird::start(folder, namespace, planned).map(|(bird, found)| (Self::Bird(bird), found))
            }
        }
    }

    pub(super) fn is_on(&self) -> bool {
        !matches!(self, Self::Off)
    }

    /// Returns the nodes' addresses whose sessions the router considers established.
    pub(super) fn established(&self) -> Result<Vec<IpAddr>, LabError> {
        match self {
            Self::Frr(frr) => frr.established(),
            Self::Bird(bird) => bird.established(),
            Self::Off => Ok(Vec::new()),
        }
    }

    /// Returns the networks that the router has accepted from nodes.
    pub(super) fn accepted(&self) -> Result<Vec<IpNet>, LabError> {
        match self {
            Self::Frr(frr) => frr.accepted(),
            Self::Bird(bird) => bird.accepted(),
            Self::Off => Ok(Vec::new()),
        }
    }

    /// Returns the names that the router has for its sessions with a node in its log.
    pub(super) fn names_of(&self, node: IpAddr) -> Vec<String> {
        match self {
            Self::Frr(_) => vec![node.to_string()],
            Self::Bird(bird) => bird.names_of(node),
            Self::Off => Vec::new(),
        }
    }

    pub(super) fn log(&self) -> String {
        let path = match self {
            Self::Frr(frr) => &frr.log,
            Self::Bird(bird) => &bird.log,
            Self::Off => return String::new(),
        };
        std::fs::read_to_string(path).unwrap_or_default()
    }

    /// Undoes the configuration and checks that nothing of it is left.
    pub(super) fn undo(&mut self, planned: &PlannedRouter) -> Result<LabCheck, LabError> {
        match self {
            Self::Frr(frr) => frr.undo(planned),
            Self::Bird(bird) => bird.undo(),
            Self::Off => Ok(LabCheck::judged("the router has no power", false, String::new)),
        }
    }
}

/// Returns the next hops of an address in the kernel of a namespace.
pub(super) fn next_hops(namespace: &str, address: IpAddr) -> Result<Vec<IpAddr>, LabError> {
    let family = if address.is_ipv4() { "-4" } else { "-6" };
    let host = IpNet::from(address).to_string();
    let arguments = ["-n", namespace, family, "-j", "route", "show", &host];
    let said = read("ip", &arguments)?;
    let unexpected =
        || LabError::Unexpected { command: format!("ip {}", arguments.join(" ")), said: said.clone() };
    // Without a route some versions print nothing at all.
    if said.trim().is_empty() {
        return Ok(Vec::new());
    }
    let routes: Value = serde_json::from_str(&said).map_err(|_| unexpected())?;
    let routes = routes.as_array().ok_or_else(unexpected)?;
    let of_route = |route: &Value| match route["nexthops"].as_array() {
        Some(hops) => hops.clone(),
        None => vec![route.clone()],
    };
    let mut hops: Vec<IpAddr> =
        routes.iter().flat_map(of_route).filter_map(|hop| hop["gateway"].as_str()?.parse().ok()).collect();
    hops.sort();
    Ok(hops)
}
