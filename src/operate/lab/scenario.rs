//! What happens in the lab, and what has to come of it.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant};

use ipnet::IpNet;

use super::gobgp::Oddity;
use super::plan::Family;
use super::room::{CLIENT, Room, router_namespace};
use super::router::next_hops;
use super::traffic::{Client, PATIENCE};
use super::wait::wait;
use super::{Finding, LabError, intruders};

type Tell<'a> = dyn FnMut(Finding) + 'a;

/// The longest that anything takes to come about. `GoBGP` waits up to ten seconds before it dials.
const SESSION: Duration = Duration::from_secs(30);
/// How long something that must not happen is given to happen.
const WATCH: Duration = Duration::from_secs(2);
/// What a route takes from the router's decision to the kernel, and the lab's own pace.
const SLACK: Duration = Duration::from_secs(1);
/// How long the agent of a node is away.
const AGENT_RESTART: Duration = Duration::from_secs(3);

/// Plays everything, in an order in which each part leaves the lab as the next one needs it.
pub(super) fn play(room: &mut Room<'_>, tell: &mut Tell<'_>) -> Result<(), LabError> {
    for finding in std::mem::take(&mut room.start_findings) {
        tell(finding);
    }
    let nodes = room.plan.nodes.len();
    let started = Instant::now();
    for node in 0..nodes {
        room.speak(node, Oddity::default())?;
    }
    all_sessions(room, started, tell)?;
    let gateways = room.plan.families.iter().map(|family| family.gateway);
    let clients: Vec<_> = gateways.map(|gateway| Client::start(CLIENT, gateway)).collect();
    for family in &room.plan.families {
        all_next_hops(room, family, started, tell)?;
    }
    traffic_reaches_all(room, &clients, tell);
    filtered(room, tell)?;
    if nodes > 1 {
        power_cut(room, &clients, tell)?;
    }
    agent_restart(room, &clients, tell)?;
    intruders::play(room, tell)?;
    taken_back(room, tell)
}

/// Whether each router has a session with each of the nodes, as it sees it.
fn sessions(room: &Room<'_>) -> Result<usize, LabError> {
    room.routers.iter().try_fold(0, |count, router| Ok(count + router.established()?.len()))
}

/// The addresses of the nodes in a family, but for one node.
fn addresses(room: &Room<'_>, family: &Family, without: Option<usize>) -> Vec<IpAddr> {
    let nodes = room.plan.nodes.iter().enumerate().filter(|(position, _)| Some(*position) != without);
    let mut addresses: Vec<_> = nodes.flat_map(|(_, node)| family.of(&node.addresses)).collect();
    addresses.sort();
    addresses
}

/// Whether in each router's kernel the next hops of the gateway are the nodes, but for one, in every family.
fn has_next_hops(room: &Room<'_>, without: Option<usize>) -> Result<bool, LabError> {
    room.plan
        .families
        .iter()
        .try_fold(true, |all, family| Ok(all && has_next_hops_in(room, family, without)?))
}

fn has_next_hops_in(room: &Room<'_>, family: &Family, without: Option<usize>) -> Result<bool, LabError> {
    let expected = addresses(room, family, without);
    for position in 0..room.routers.len() {
        if next_hops(&router_namespace(position), family.gateway)? != expected {
            return Ok(false);
        }
    }
    Ok(true)
}

fn seen_next_hops(room: &Room<'_>) -> String {
    let of_router = |position, gateway| match next_hops(&router_namespace(position), gateway) {
        Ok(hops) => format!("{hops:?}"),
        Err(error) => error.to_string(),
    };
    let gateways = room.plan.families.iter().map(|family| family.gateway);
    let seen = gateways
        .flat_map(|gateway| (0..room.routers.len()).map(move |position| of_router(position, gateway)));
    seen.collect::<Vec<_>>().join(", ")
}

fn all_sessions(room: &Room<'_>, started: Instant, tell: &mut Tell<'_>) -> Result<(), LabError> {
    let all = room.plan.families.len() * room.routers.len() * room.plan.nodes.len();
    let up = wait(SESSION, || Ok(sessions(room)? == all))?.map(|_| started.elapsed());
    let seen = sessions(room)?;
    tell(Finding::timed(format!("{seen} of {all} sessions are established"), up, || {
        "not all of them".to_owned()
    }));
    Ok(())
}

fn all_next_hops(
    room: &Room<'_>,
    family: &Family,
    started: Instant,
    tell: &mut Tell<'_>,
) -> Result<(), LabError> {
    let in_kernel = wait(SESSION, || has_next_hops_in(room, family, None))?.map(|_| started.elapsed());
    let (gateway, nodes) = (IpNet::from(family.gateway), room.plan.nodes.len());
    let what = format!("{gateway} has {nodes} next hops, one for each node");
    tell(Finding::timed(what, in_kernel, || seen_next_hops(room)));
    Ok(())
}

fn traffic_reaches_all(room: &Room<'_>, clients: &[Client], tell: &mut Tell<'_>) {
    let since = Instant::now();
    thread::sleep(WATCH);
    for client in clients {
        let answers = client.answers(since);
        let (asked, nodes) = (answers.asked, room.plan.nodes.len());
        let is_well = answers.unanswered == 0 && answers.nodes.len() == nodes;
        tell(Finding::judged(
            format!("{asked} connections to {} reach {nodes} nodes, each of them", client.gateway),
            is_well,
            || format!("{} unanswered, answers from {}", answers.unanswered, answers.nodes.join(", ")),
        ));
    }
}

/// A node announces what it may not: a default route, and the range of the pods.
fn filtered(room: &Room<'_>, tell: &mut Tell<'_>) -> Result<(), LabError> {
    let Some(speaker) = &room.speakers[0] else { return Ok(()) };
    let foreign: Vec<_> = room.plan.families.iter().flat_map(|family| family.foreign).collect();
    for prefix in &foreign {
        speaker.announce(*prefix)?;
    }
    // Only what has been sent can have been refused.
    let of = |networks: &[IpNet], address: IpAddr| {
        let of_family = networks.iter().filter(|network| network.addr().is_ipv4() == address.is_ipv4());
        of_family.copied().collect::<BTreeSet<_>>()
    };
    let own = [room.announced(), foreign.clone()].concat();
    let sessions = room.plan.routers.iter().flat_map(|router| &router.addresses).map(IpNet::addr);
    let is_sent = |address| Ok::<_, LabError>(of(&speaker.announced(address)?, address) == of(&own, address));
    let sent = wait(WATCH, || sessions.clone().try_fold(true, |all, address| Ok(all && is_sent(address)?)))?;
    thread::sleep(WATCH);
    for (planned, router) in room.plan.routers.iter().zip(&room.routers) {
        let accepted = router.accepted()?;
        for family in &room.plan.families {
            let (accepted, expected) = (of(&accepted, family.gateway), of(&room.announced(), family.gateway));
            let [default, pods] = family.foreign;
            let what = format!("{}: {default} and {pods} from a node are refused", planned.name);
            tell(Finding::judged(what, sent.is_some() && accepted == expected, || {
                format!("all sent: {}, taken {accepted:?}", sent.is_some())
            }));
        }
    }
    for prefix in foreign {
        speaker.withdraw(prefix)?;
    }
    Ok(())
}

/// The last node loses its power: its routes go within the hold time, and traffic goes on without it.
fn power_cut(room: &mut Room<'_>, clients: &[Client], tell: &mut Tell<'_>) -> Result<(), LabError> {
    let node = room.plan.nodes.len() - 1;
    let name = room.plan.nodes[node].name.clone();
    let hold_time = room.plan.hold_time();
    let cut = Instant::now();
    room.set_cable(node, false)?;
    room.silence(node);
    let limit = Duration::from_secs(hold_time.into()) + SLACK;
    let gone = wait(limit, || has_next_hops(room, Some(node)))?;
    let left = room.plan.nodes.len() - 1;
    let what =
        format!("{name} loses power: {left} next hops are left, within the hold time of {hold_time} s");
    tell(Finding::timed(what, gone, || seen_next_hops(room)));
    let lost: Vec<_> = clients.iter().map(|client| client.answers(cut)).collect();

    // A question that was on its way to the dead node when the route went is none of the routes' business.
    thread::sleep(PATIENCE + Duration::from_millis(100));
    let since = Instant::now();
    thread::sleep(WATCH);
    for (client, lost) in clients.iter().zip(lost) {
        let answers = client.answers(since);
        let what = format!(
            "{} connections to {} since reach the {left} others, none is lost (until then {} of {})",
            answers.asked, client.gateway, lost.unanswered, lost.asked
        );
        let is_well =
            answers.unanswered == 0 && answers.nodes.len() == left && !answers.nodes.contains(&name);
        tell(Finding::judged(what, is_well, || {
            format!("{} unanswered, answers from {}", answers.unanswered, answers.nodes.join(", "))
        }));
    }

    let back = Instant::now();
    room.set_cable(node, true)?;
    room.speak(node, Oddity::default())?;
    let whole = wait(SESSION, || has_next_hops(room, None))?.map(|_| back.elapsed());
    tell(Finding::timed(format!("{name} is back: {} next hops", left + 1), whole, || seen_next_hops(room)));
    Ok(())
}

/// The agent of the first node restarts: its routes stay, and no connection is lost.
fn agent_restart(room: &mut Room<'_>, clients: &[Client], tell: &mut Tell<'_>) -> Result<(), LabError> {
    let name = room.plan.nodes[0].name.clone();
    if room.plan.speaker.peers.iter().any(|peer| peer.restart_time.is_none()) {
        return Ok(());
    }
    let (all, since) = (sessions(room)?, Instant::now());
    room.silence(0);
    let fewer = all - room.routers.len() * room.plan.families.len();
    let down = wait(AGENT_RESTART, || Ok(sessions(room)? == fewer))?;
    let mut is_kept = wait(AGENT_RESTART, || Ok(!has_next_hops(room, None)?))?.is_none();
    let started = Instant::now();
    room.speak(0, Oddity::default())?;
    let up = wait(SESSION, || {
        is_kept &= has_next_hops(room, None)?;
        Ok(sessions(room)? == all)
    })?;
    let took = started.elapsed();
    is_kept &= wait(WATCH, || Ok(!has_next_hops(room, None)?))?.is_none();
    let answers: Vec<_> = clients.iter().map(|client| client.answers(since)).collect();
    let asked: usize = answers.iter().map(|answers| answers.asked).sum();
    let unanswered: usize = answers.iter().map(|answers| answers.unanswered).sum();
    let what = format!(
        "{name}'s agent restarts: its route is kept, {asked} connections and none lost; the session is back"
    );
    let is_well = down.is_some() && is_kept && up.is_some() && unanswered == 0;
    tell(Finding::timed(what, is_well.then_some(took), || {
        format!(
            "session down: {}, route kept: {is_kept}, session back: {}, {unanswered} connections lost",
            down.is_some(),
            up.is_some()
        )
    }));
    Ok(())
}

fn taken_back(room: &mut Room<'_>, tell: &mut Tell<'_>) -> Result<(), LabError> {
    for (planned, router) in room.plan.routers.iter().zip(&mut room.routers) {
        let finding = router.take_back(planned)?;
        tell(Finding { what: format!("{}: {}", planned.name, finding.what), ..finding });
    }
    let gone = wait(WATCH, || {
        for (position, family) in (0..room.routers.len())
            .flat_map(|position| room.plan.families.iter().map(move |family| (position, family)))
        {
            if !next_hops(&router_namespace(position), family.gateway)?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    })?;
    tell(Finding::timed("the gateway has no next hop any more".to_owned(), gone, || seen_next_hops(room)));
    Ok(())
}
