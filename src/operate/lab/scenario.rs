//! The scenario of the lab: what happens, and what has to follow.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant};

use ipnet::IpNet;

use super::check::{LabCheck, ReportCheck};
use super::error::LabError;
use super::gobgp::Misconfiguration;
use super::intruders;
use super::network::{CLIENT, LabNetwork, between_address, router_namespace, wait};
use super::plan::Family;
use super::router::next_hops;
use super::traffic::{Client, PATIENCE};

/// The longest time until a session or a route is there. `GoBGP` waits up to ten seconds before it dials.
const SESSION: Duration = Duration::from_secs(30);
/// The time in which something that must not happen would have happened.
const WATCH: Duration = Duration::from_secs(2);
/// The longest time until the routes of an undone configuration are gone: FRR removes IPv6 next hops one by one.
const UNDONE: Duration = Duration::from_secs(10);
/// The time that a route takes from the router's decision to the kernel, and that the lab takes to look.
const SLACK: Duration = Duration::from_secs(1);
/// The time that the agent of a node is away.
const AGENT_RESTART: Duration = Duration::from_secs(3);
/// The time that a router takes to boot. Long enough that each node has dialed in vain.
const ROUTER_BOOT: Duration = Duration::from_secs(12);

/// Plays all parts. Each leaves the lab in the state that the next one needs.
pub(super) fn play(network: &mut LabNetwork<'_>, report: &mut ReportCheck<'_>) -> Result<(), LabError> {
    for check in std::mem::take(&mut network.start_checks) {
        report(check);
    }
    let nodes = network.plan.nodes.len();
    let started = Instant::now();
    for node in 0..nodes {
        network.start_speaker(node, Misconfiguration::default())?;
    }
    all_sessions(network, started, report)?;
    let gateways = network.plan.families.iter().map(|family| family.gateway);
    let has_client = network.plan.entrance().is_some();
    let gateways = gateways.filter(|_| has_client);
    let clients: Vec<_> = gateways.map(|gateway| Client::start(CLIENT, gateway)).collect();
    for family in &network.plan.families {
        all_next_hops(network, family, started, report)?;
    }
    traffic_reaches_all(network, &clients, report);
    filtered(network, report)?;
    if nodes > 1 {
        power_cut(network, &clients, report)?;
    }
    agent_restart(network, &clients, report)?;
    router_reboot(network, report)?;
    if network.routers.len() > 1 {
        second_router_down(network, report)?;
    }
    intruders::play(network, report)?;
    undone(network, report)
}

/// Returns the number of sessions that the routers consider established.
fn sessions(network: &LabNetwork<'_>) -> Result<usize, LabError> {
    network.routers.iter().try_fold(0, |count, router| Ok(count + router.established()?.len()))
}

/// Returns the number of sessions between all nodes and the routers that have power.
fn expected_sessions(network: &LabNetwork<'_>) -> usize {
    let routers = network.routers.iter().filter(|router| router.is_on()).count();
    network.plan.families.len() * routers * network.plan.nodes.len()
}

/// Waits until every router that has power has all sessions and next hops. `None` if that takes too long.
fn until_whole(network: &LabNetwork<'_>) -> Result<Option<Duration>, LabError> {
    wait(SESSION, || Ok(sessions(network)? == expected_sessions(network) && has_next_hops(network, None)?))
}

/// Returns the addresses of the nodes in a family, except for one node.
fn addresses(network: &LabNetwork<'_>, family: &Family, without: Option<usize>) -> Vec<IpAddr> {
    let nodes = network.plan.nodes.iter().enumerate().filter(|(position, _)| Some(*position) != without);
    let mut addresses: Vec<_> = nodes.flat_map(|(_, node)| family.of(&node.addresses)).collect();
    addresses.sort();
    addresses
}

/// Returns whether in each router's kernel the next hops of the gateway are all nodes except one, in every family.
fn has_next_hops(network: &LabNetwork<'_>, without: Option<usize>) -> Result<bool, LabError> {
    network
        .plan
        .families
        .iter()
        .try_fold(true, |all, family| Ok(all && has_next_hops_in(network, family, without)?))
}

fn has_next_hops_in(
    network: &LabNetwork<'_>,
    family: &Family,
    without: Option<usize>,
) -> Result<bool, LabError> {
    let nodes = addresses(network, family, without);
    let is_on = |(position, _): &(usize, _)| network.routers[*position].is_on();
    for (position, router) in network.plan.routers.iter().enumerate().filter(is_on) {
        let mut hops = next_hops(&router_namespace(position), family.gateway)?;
        let is_as_expected = if router.between.is_empty() {
            hops == nodes
        } else {
            // The router in between leads to every node, so the sessions tell which nodes are next hops.
            hops.dedup();
            let mut sessions = network.routers[position].established()?;
            sessions.retain(|node| node.is_ipv4() == family.gateway.is_ipv4());
            sessions.sort();
            hops == [between_address(family.gateway)] && sessions == nodes
        };
        if !is_as_expected {
            return Ok(false);
        }
    }
    Ok(true)
}

fn seen_next_hops(network: &LabNetwork<'_>) -> String {
    let of_router = |position, gateway| match next_hops(&router_namespace(position), gateway) {
        Ok(hops) => format!("{hops:?}"),
        Err(error) => error.to_string(),
    };
    let gateways = network.plan.families.iter().map(|family| family.gateway);
    let seen = gateways
        .flat_map(|gateway| (0..network.routers.len()).map(move |position| of_router(position, gateway)));
    seen.collect::<Vec<_>>().join(", ")
}

fn all_sessions(
    network: &LabNetwork<'_>,
    started: Instant,
    report: &mut ReportCheck<'_>,
) -> Result<(), LabError> {
    let all = expected_sessions(network);
    let up = wait(SESSION, || Ok(sessions(network)? == all))?.map(|_| started.elapsed());
    let seen = sessions(network)?;
    report(LabCheck::timed(format!("{seen} of {all} sessions are established"), up, || {
        "sessions are missing".to_owned()
    }));
    Ok(())
}

fn all_next_hops(
    network: &LabNetwork<'_>,
    family: &Family,
    started: Instant,
    report: &mut ReportCheck<'_>,
) -> Result<(), LabError> {
    let in_kernel = wait(SESSION, || has_next_hops_in(network, family, None))?.map(|_| started.elapsed());
    let (gateway, nodes) = (IpNet::from(family.gateway), network.plan.nodes.len());
    let is_behind = network.plan.entrance().is_none();
    let what = if is_behind {
        format!("{gateway} is routed to the router in front of the nodes")
    } else {
        format!("{gateway} has {nodes} next hops, one for each node")
    };
    report(LabCheck::timed(what, in_kernel, || seen_next_hops(network)));
    Ok(())
}

fn traffic_reaches_all(network: &LabNetwork<'_>, clients: &[Client], report: &mut ReportCheck<'_>) {
    let since = Instant::now();
    thread::sleep(WATCH);
    for client in clients {
        let answers = client.answers(since);
        let (asked, nodes) = (answers.asked, network.plan.nodes.len());
        let passed = answers.unanswered == 0 && answers.nodes.len() == nodes;
        report(LabCheck::judged(
            format!("{asked} connections to {} reach all {nodes} nodes", client.gateway),
            passed,
            || format!("{} unanswered, answers from {}", answers.unanswered, answers.nodes.join(", ")),
        ));
    }
}

/// A node announces what it must not: a default route, and the range of the pods.
fn filtered(network: &LabNetwork<'_>, report: &mut ReportCheck<'_>) -> Result<(), LabError> {
    let Some(speaker) = &network.speakers[0] else { return Ok(()) };
    let foreign: Vec<_> = network.plan.families.iter().flat_map(|family| family.foreign).collect();
    for prefix in &foreign {
        speaker.announce(*prefix)?;
    }
    // Only a route that was sent can have been rejected.
    let of = |networks: &[IpNet], address: IpAddr| {
        let of_family = networks.iter().filter(|network| network.addr().is_ipv4() == address.is_ipv4());
        of_family.copied().collect::<BTreeSet<_>>()
    };
    let own = [network.announced(), foreign.clone()].concat();
    let sessions = network.plan.routers.iter().flat_map(|router| &router.addresses).map(IpNet::addr);
    let is_sent = |address| Ok::<_, LabError>(of(&speaker.announced(address)?, address) == of(&own, address));
    let sent = wait(WATCH, || sessions.clone().try_fold(true, |all, address| Ok(all && is_sent(address)?)))?;
    thread::sleep(WATCH);
    for (planned, router) in network.plan.routers.iter().zip(&network.routers) {
        let accepted = router.accepted()?;
        for family in &network.plan.families {
            let (accepted, expected) =
                (of(&accepted, family.gateway), of(&network.announced(), family.gateway));
            let [default, pods] = family.foreign;
            let what = format!("{}: {default} and {pods} from a node are rejected", planned.name);
            report(LabCheck::judged(what, sent.is_some() && accepted == expected, || {
                format!("all sent: {}, accepted {accepted:?}", sent.is_some())
            }));
        }
    }
    for prefix in foreign {
        speaker.withdraw(prefix)?;
    }
    Ok(())
}

/// The last node loses its power: its routes disappear within the hold time, and traffic continues without it.
fn power_cut(
    network: &mut LabNetwork<'_>,
    clients: &[Client],
    report: &mut ReportCheck<'_>,
) -> Result<(), LabError> {
    let node = network.plan.nodes.len() - 1;
    let name = network.plan.nodes[node].name.clone();
    let hold_time = network.plan.hold_time();
    let cut = Instant::now();
    network.set_cable(node, false)?;
    network.stop_speaker(node);
    let limit = Duration::from_secs(hold_time.into()) + SLACK;
    let gone = wait(limit, || has_next_hops(network, Some(node)))?;
    let left = network.plan.nodes.len() - 1;
    let hops = next_hop_word(network);
    let what = format!("{name} loses power: {left} {hops} are left, within the hold time of {hold_time} s");
    report(LabCheck::timed(what, gone, || seen_next_hops(network)));
    let lost: Vec<_> = clients.iter().map(|client| client.answers(cut)).collect();

    // A connection that was on its way to the dead node when the route disappeared does not count.
    thread::sleep(PATIENCE + Duration::from_millis(100));
    let since = Instant::now();
    thread::sleep(WATCH);
    for (client, lost) in clients.iter().zip(lost) {
        let answers = client.answers(since);
        let what = format!(
            "{} later connections to {} reach the other {left} nodes, none is lost ({} of {} were lost until then)",
            answers.asked, client.gateway, lost.unanswered, lost.asked
        );
        let passed = answers.unanswered == 0 && answers.nodes.len() == left && !answers.nodes.contains(&name);
        report(LabCheck::judged(what, passed, || {
            format!("{} unanswered, answers from {}", answers.unanswered, answers.nodes.join(", "))
        }));
    }

    let back = Instant::now();
    network.set_cable(node, true)?;
    network.start_speaker(node, Misconfiguration::default())?;
    let whole = wait(SESSION, || has_next_hops(network, None))?.map(|_| back.elapsed());
    report(LabCheck::timed(format!("{name} is back: {} {hops}", left + 1), whole, || {
        seen_next_hops(network)
    }));
    Ok(())
}

/// What the lab counts: the kernel of a router that is not on the nodes' network has one next hop for all nodes.
fn next_hop_word(network: &LabNetwork<'_>) -> &'static str {
    if network.plan.entrance().is_some() { "next hops" } else { "nodes with sessions" }
}

/// The agent of the first node restarts: its routes stay, and no connection is lost.
fn agent_restart(
    network: &mut LabNetwork<'_>,
    clients: &[Client],
    report: &mut ReportCheck<'_>,
) -> Result<(), LabError> {
    let name = network.plan.nodes[0].name.clone();
    // A router that is not on the nodes' network has one next hop for all nodes, which does not tell the kept route.
    let is_behind = network.plan.entrance().is_none();
    if is_behind || network.plan.speaker.peers.iter().any(|peer| peer.restart_time.is_none()) {
        return Ok(());
    }
    let (all, since) = (sessions(network)?, Instant::now());
    network.stop_speaker(0);
    let fewer = all - network.routers.len() * network.plan.families.len();
    let down = wait(AGENT_RESTART, || Ok(sessions(network)? == fewer))?;
    let mut is_kept = wait(AGENT_RESTART, || Ok(!has_next_hops(network, None)?))?.is_none();
    let started = Instant::now();
    network.start_speaker(0, Misconfiguration::default())?;
    let up = wait(SESSION, || {
        is_kept &= has_next_hops(network, None)?;
        Ok(sessions(network)? == all)
    })?;
    let took = started.elapsed();
    is_kept &= wait(WATCH, || Ok(!has_next_hops(network, None)?))?.is_none();
    let answers: Vec<_> = clients.iter().map(|client| client.answers(since)).collect();
    let asked: usize = answers.iter().map(|answers| answers.asked).sum();
    let unanswered: usize = answers.iter().map(|answers| answers.unanswered).sum();
    let what = format!(
        "the agent of {name} restarts: its route is kept, none of {asked} connections is lost, the session is back"
    );
    let passed = down.is_some() && is_kept && up.is_some() && unanswered == 0;
    report(LabCheck::timed(what, passed.then_some(took), || {
        format!(
            "session down: {}, route kept: {is_kept}, session back: {}, {unanswered} connections lost",
            down.is_some(),
            up.is_some()
        )
    }));
    Ok(())
}

/// The first router loses its power and boots. The nodes dial it again by themselves, within the time that is rendered.
fn router_reboot(network: &mut LabNetwork<'_>, report: &mut ReportCheck<'_>) -> Result<(), LabError> {
    network.cut_router(0);
    thread::sleep(ROUTER_BOOT);
    network.boot_router(0)?;
    let whole = until_whole(network)?;
    let name = &network.plan.routers[0].name;
    let what = format!("{name} reboots: all sessions and routes are back after it answers");
    report(LabCheck::timed(what, whole, || seen_next_hops(network)));
    Ok(())
}

/// All agents start while the second router is away: the others learn everything at once.
fn second_router_down(network: &mut LabNetwork<'_>, report: &mut ReportCheck<'_>) -> Result<(), LabError> {
    const SECOND: usize = 1;
    let nodes = network.plan.nodes.len();
    network.cut_router(SECOND);
    for node in 0..nodes {
        network.stop_speaker(node);
    }
    let started = Instant::now();
    for node in 0..nodes {
        network.start_speaker(node, Misconfiguration::default())?;
    }
    let whole = until_whole(network)?.map(|_| started.elapsed());
    let name = &network.plan.routers[SECOND].name;
    let what = format!("all agents start while {name} is away: the other routers learn every route");
    report(LabCheck::timed(what, whole, || seen_next_hops(network)));
    network.boot_router(SECOND)?;
    let whole = until_whole(network)?;
    let what = format!("{} is back: all sessions and routes", network.plan.routers[SECOND].name);
    report(LabCheck::timed(what, whole, || seen_next_hops(network)));
    Ok(())
}

fn undone(network: &mut LabNetwork<'_>, report: &mut ReportCheck<'_>) -> Result<(), LabError> {
    for (planned, router) in network.plan.routers.iter().zip(&mut network.routers) {
        let check = router.undo(planned)?;
        report(LabCheck { what: format!("{}: {}", planned.name, check.what), ..check });
    }
    let gone = wait(UNDONE, || {
        for (position, family) in (0..network.routers.len())
            .flat_map(|position| network.plan.families.iter().map(move |family| (position, family)))
        {
            if !next_hops(&router_namespace(position), family.gateway)?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    })?;
    report(LabCheck::timed("the gateway has no next hops left".to_owned(), gone, || seen_next_hops(network)));
    Ok(())
}
