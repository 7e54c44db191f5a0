//! Speakers that are not as they should be: none of them gets a session, and each refusal can be seen.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::gobgp::{Gobgp, Oddity};
use super::namespace::within;
use super::room::{Room, router_namespace};
use super::router::next_hops;
use super::wait::wait;
use super::{Finding, LabError};

/// How long each has to be refused. `GoBGP` waits up to ten seconds before it dials.
const REFUSAL: Duration = Duration::from_secs(25);
/// The longest that a speaker takes to see that its session has gone to another.
const TURN: Duration = Duration::from_secs(2);
/// Fewer nodes than that, and the intruders come one after the other.
const NODES_FOR_ALL: usize = 3;

type Tell<'a> = dyn FnMut(Finding) + 'a;

/// What is wrong about an intruder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Asn,
    Password,
    /// A second speaker at the address of a node that has one.
    Second,
}

/// An intruder, and what has been seen of it.
struct Intruder {
    kind: Kind,
    node: usize,
    /// Segments that the routers' kernels had refused before it came.
    segments_before: u64,
    speaker: Gobgp,
    is_refused: bool,
    has_session: bool,
    is_route_kept: bool,
    /// Since when both speakers of an address have said that they have the same session.
    together_since: Option<Instant>,
    /// When the second speaker had said what it has to say.
    spoke: Option<Instant>,
}

pub(super) fn play(room: &mut Room<'_>, tell: &mut Tell<'_>) -> Result<(), LabError> {
    let last = room.plan.nodes.len() - 1;
    let intruders = [(Kind::Asn, last), (Kind::Password, last.saturating_sub(1)), (Kind::Second, 0)];
    let at_once = if last + 1 < NODES_FOR_ALL { 1 } else { intruders.len() };
    for group in intruders.chunks(at_once) {
        let mut group = group
            .iter()
            .map(|(kind, node)| Intruder::start(room, *kind, *node))
            .collect::<Result<Vec<_>, _>>()?;
        wait(REFUSAL, || {
            for intruder in &mut group {
                intruder.look(room)?;
            }
            Ok(group.iter().all(|intruder| intruder.is_refused))
        })?;
        for intruder in &group {
            tell(intruder.finding(room));
        }
    }
    Ok(())
}

impl Intruder {
    fn start(room: &mut Room<'_>, kind: Kind, node: usize) -> Result<Self, LabError> {
        let oddity = match kind {
            Kind::Asn => Oddity { asn: Some(foreign_asn(room)), ..Oddity::default() },
            Kind::Password => Oddity { password: Some("not-the-password"), ..Oddity::default() },
            Kind::Second => Oddity { is_second: true, ..Oddity::default() },
        };
        if kind == Kind::Second {
            if room.speakers[node].is_none() {
                room.speak(node, Oddity::default())?;
            }
        } else {
            room.silence(node);
        }
        let segments_before = refused_segments(room)?;
        let speaker = room.speaker(node, oddity)?;
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

    /// Sees whether it has been refused, and whether it has what it should not have.
    fn look(&mut self, room: &Room<'_>) -> Result<(), LabError> {
        let own = Self::sessions(room, &self.speaker)?;
        match self.kind {
            Kind::Asn => {
                self.has_session |= !own.is_empty();
                self.is_refused |= bad_peer_as(room, self.node);
            }
            Kind::Password => {
                self.has_session |= !own.is_empty();
                self.is_refused |= refused_segments(room)? > self.segments_before;
            }
            Kind::Second => {
                let first = match &room.speakers[self.node] {
                    Some(first) => Self::sessions(room, first)?,
                    None => Vec::new(),
                };
                if !own.iter().any(|router| first.contains(router)) {
                    self.together_since = None;
                } else if self.together_since.get_or_insert_with(Instant::now).elapsed() > TURN {
                    self.has_session = true;
                }
                // It has dialled and spoken, and a while has passed.
                if self.speaker.log().contains("\"old\":\"BGP_FSM_OPENSENT\"") {
                    self.is_refused |= self.spoke.get_or_insert_with(Instant::now).elapsed() > 2 * TURN;
                }
                for family in &room.plan.families {
                    let hops = next_hops(&router_namespace(0), family.gateway)?;
                    let mut node = family.of(&room.plan.nodes[self.node].addresses);
                    self.is_route_kept &= node.all(|address| hops.contains(&address));
                }
            }
        }
        Ok(())
    }

    /// The routers' addresses with which a speaker has a session.
    fn sessions(room: &Room<'_>, speaker: &Gobgp) -> Result<Vec<IpAddr>, LabError> {
        let mut sessions = Vec::new();
        for address in room.plan.routers.iter().flat_map(|router| &router.addresses) {
            if speaker.session_state(address.addr())? == "ESTABLISHED" {
                sessions.push(address.addr());
            }
        }
        Ok(sessions)
    }

    fn finding(&self, room: &Room<'_>) -> Finding {
        let name = &room.plan.nodes[self.node].name;
        let what = match self.kind {
            Kind::Asn => {
                format!("{name} as AS {} is refused: the router's log says `Bad Peer AS`", foreign_asn(room))
            }
            Kind::Password => {
                format!("{name} with a wrong password is refused: the router's kernel counts it")
            }
            // RFC 4724, section 5: the router takes the newer connection for a restart of the speaker. Two speakers at
            // one address take turns therefore, and while they do the route is kept.
            Kind::Second => {
                format!("two speakers at {name}'s address never both have a session, and its route is kept")
            }
        };
        let is_well = self.is_refused && !self.has_session && self.is_route_kept;
        Finding::judged(what, is_well, || {
            format!(
                "refused: {}, session: {}, route kept: {}",
                self.is_refused, self.has_session, self.is_route_kept
            )
        })
    }
}

/// A number that is not that of the nodes.
fn foreign_asn(room: &Room<'_>) -> u32 {
    if room.plan.speaker.asn == 64999 { 64998 } else { 64999 }
}

/// Whether a router has told a node `OPEN Message Error`, `Bad Peer AS` (RFC 4271, section 4.5), and says so.
fn bad_peer_as(room: &Room<'_>, node: usize) -> bool {
    room.routers.iter().any(|router| {
        let addresses = room.plan.nodes[node].addresses.iter();
        let names: Vec<_> = addresses.flat_map(|address| router.names_of(address.addr())).collect();
        router.log().lines().any(|line| {
            line.to_ascii_lowercase().contains("bad peer as")
                && names.iter().any(|name| line.contains(name.as_str()))
        })
    })
}

/// TCP segments that the routers' kernels refused for their signature (RFC 2385): missing, unexpected or wrong.
fn refused_segments(room: &Room<'_>) -> Result<u64, LabError> {
    let mut count = 0;
    for position in 0..room.routers.len() {
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
