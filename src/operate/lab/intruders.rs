//! Misconfigured speakers: none of them gets a session, and each rejection can be seen.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::check::{LabCheck, ReportCheck};
use super::error::LabError;
use super::gobgp::{Gobgp, Misconfiguration};
use super::namespace::within;
use super::network::{LabNetwork, router_namespace, wait};
use super::router::next_hops;

/// The longest time until an intruder is rejected. `GoBGP` waits up to ten seconds before it dials.
const REFUSAL: Duration = Duration::from_secs(25);
/// The longest time until a speaker notices that another has its session.
const TURN: Duration = Duration::from_secs(2);
/// With fewer nodes the intruders come one after the other.
const NODES_FOR_ALL: usize = 3;

/// What is wrong with an intruder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IntruderKind {
    Asn,
    Password,
    /// A second speaker at the address of a node that has one.
    Second,
}

/// An intruder, and what has been seen of it.
struct Intruder {
    kind: IntruderKind,
    node: usize,
    /// Segments that the routers' kernels had rejected before.
    segments_before: u64,
    speaker: Gobgp,
    is_refused: bool,
    has_session: bool,
    is_route_kept: bool,
    /// Since when both speakers of an address claim the same session.
    together_since: Option<Instant>,
    /// When the second speaker had sent its OPEN message.
    spoke: Option<Instant>,
}

pub(super) fn play(network: &mut LabNetwork<'_>, report: &mut ReportCheck<'_>) -> Result<(), LabError> {
    let last = network.plan.nodes.len() - 1;
    let intruders = [
        (IntruderKind::Asn, last),
        (IntruderKind::Password, last.saturating_sub(1)),
        (IntruderKind::Second, 0),
    ];
    let at_once = if last + 1 < NODES_FOR_ALL { 1 } else { intruders.len() };
    for group in intruders.chunks(at_once) {
        let mut group = group
            .iter()
            .map(|(kind, node)| Intruder::start(network, *kind, *node))
            .collect::<Result<Vec<_>, _>>()?;
        wait(REFUSAL, || {
            for intruder in &mut group {
                intruder.look(network)?;
            }
            Ok(group.iter().all(|intruder| intruder.is_refused))
        })?;
        for intruder in &group {
            report(intruder.check(network));
        }
    }
    Ok(())
}

impl Intruder {
    fn start(network: &mut LabNetwork<'_>, kind: IntruderKind, node: usize) -> Result<Self, LabError> {
        let misconfiguration = match kind {
            IntruderKind::Asn => {
                Misconfiguration { asn: Some(foreign_asn(network)), ..Misconfiguration::default() }
            }
            IntruderKind::Password => {
                Misconfiguration { password: Some("not-the-password"), ..Misconfiguration::default() }
            }
            IntruderKind::Second => Misconfiguration { is_second: true, ..Misconfiguration::default() },
        };
        if kind == IntruderKind::Second {
            if network.speakers[node].is_none() {
                network.start_speaker(node, Misconfiguration::default())?;
            }
        } else {
            network.stop_speaker(node);
        }
        let segments_before = refused_segments(network)?;
        let speaker = network.speaker(node, misconfiguration)?;
        Ok(Self {
            kind,
            node,
            segments_before,
            speaker,
            is_refused: false,
            has_session: false,
            is_route_kept: true,
            together_since: None,
            spoke: None,
        })
    }

    /// Looks whether the intruder was rejected, and whether it got a session.
    fn look(&mut self, network: &LabNetwork<'_>) -> Result<(), LabError> {
        let own = Self::sessions(network, &self.speaker)?;
        match self.kind {
            IntruderKind::Asn => {
                self.has_session |= !own.is_empty();
                self.is_refused |= bad_peer_as(network, self.node);
            }
            IntruderKind::Password => {
                self.has_session |= !own.is_empty();
                self.is_refused |= refused_segments(network)? > self.segments_before;
            }
            IntruderKind::Second => {
                let first = match &network.speakers[self.node] {
                    Some(first) => Self::sessions(network, first)?,
                    None => Vec::new(),
                };
                if !own.iter().any(|router| first.contains(router)) {
                    self.together_since = None;
                } else if self.together_since.get_or_insert_with(Instant::now).elapsed() > TURN {
                    self.has_session = true;
                }
                // It has sent its OPEN message, and some time has passed.
                if self.speaker.log().contains("\"old\":\"BGP_FSM_OPENSENT\"") {
                    self.is_refused |= self.spoke.get_or_insert_with(Instant::now).elapsed() > 2 * TURN;
                }
                // The next hop of a router that is not on the nodes' network does not tell the node.
                let families = network.plan.families.iter();
                for (family, position) in
                    families.filter_map(|family| Some((family, network.plan.entrance()?)))
                {
                    let hops = next_hops(&router_namespace(position), family.gateway)?;
                    let mut node = family.of(&network.plan.nodes[self.node].addresses);
                    self.is_route_kept &= node.all(|address| hops.contains(&address));
                }
            }
        }
        Ok(())
    }

    /// Returns the routers' addresses with which a speaker has a session.
    fn sessions(network: &LabNetwork<'_>, speaker: &Gobgp) -> Result<Vec<IpAddr>, LabError> {
        let mut sessions = Vec::new();
        for address in network.plan.routers.iter().flat_map(|router| &router.addresses) {
            if speaker.session_state(address.addr())? == "ESTABLISHED" {
                sessions.push(address.addr());
            }
        }
        Ok(sessions)
    }

    fn check(&self, network: &LabNetwork<'_>) -> LabCheck {
        let name = &network.plan.nodes[self.node].name;
        // The next hop of a router that is not on the nodes' network does not tell the node, so nothing is claimed there.
        let keeps_routes = network.plan.entrance().is_some()
            && network.plan.speaker.peers.iter().all(|peer| peer.restart_time.is_some());
        let what = match self.kind {
            IntruderKind::Asn => {
                format!(
                    "{name} as AS {} is rejected: the router's log says `Bad Peer AS`",
                    foreign_asn(network)
                )
            }
            IntruderKind::Password => {
                format!("{name} with a wrong password is rejected: the router's kernel counts it")
            }
            // RFC 4724, section 5: the router takes the newer connection for a restart of the speaker. Two speakers at
            // one address take turns therefore, and while they do the route is kept.
            IntruderKind::Second if keeps_routes => {
                format!("two speakers at {name}'s address never both have a session, and its route is kept")
            }
            IntruderKind::Second => format!("two speakers at {name}'s address never both have a session"),
        };
        // Without graceful restart, a second speaker's connection ends the session and withdraws the route.
        let is_route_right = self.is_route_kept || matches!(self.kind, IntruderKind::Second) && !keeps_routes;
        let passed = self.is_refused && !self.has_session && is_route_right;
        LabCheck::judged(what, passed, || {
            format!(
                "rejected: {}, session: {}, route kept: {}",
                self.is_refused, self.has_session, self.is_route_kept
            )
        })
    }
}

/// Returns an AS number that is not that of the nodes.
fn foreign_asn(network: &LabNetwork<'_>) -> u32 {
    if network.plan.speaker.asn == 64999 { 64998 } else { 64999 }
}

/// Returns whether a router has logged that it sent a node `OPEN Message Error`, `Bad Peer AS` (RFC 4271, section 4.5).
fn bad_peer_as(network: &LabNetwork<'_>, node: usize) -> bool {
    network.routers.iter().any(|router| {
        let addresses = network.plan.nodes[node].addresses.iter();
        let names: Vec<_> = addresses.flat_map(|address| router.names_of(address.addr())).collect();
        router.log().lines().any(|line| {
            line.to_ascii_lowercase().contains("bad peer as")
                && names.iter().any(|name| line.contains(name.as_str()))
        })
    })
}

/// Returns how many TCP segments the routers' kernels rejected for their signature (RFC 2385): missing, unexpected or wrong.
fn refused_segments(network: &LabNetwork<'_>) -> Result<u64, LabError> {
    let mut count = 0;
    for position in 0..network.routers.len() {
        let text =
            within(&router_namespace(position), || std::fs::read_to_string("/proc/thread-self/net/netstat"))?;
        // Two lines: names, and their values.
        let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:"));
        let (names, values) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let counters = names.split_whitespace().zip(values.split_whitespace());
        let refusals = counters.filter(|(name, _)| name.starts_with("TCPMD5"));
        count += refusals.filter_map(|(_, value)| value.parse::<u64>().ok()).sum::<u64>();
    }
    Ok(count)
}
