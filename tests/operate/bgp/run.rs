//! The whole report of the lab, for FRR and for BIRD, with IPv4 only and with both address families.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use snapbox::assert_data_eq;

use crate::{ONE_AT_A_TIME, can_run, cluster, dual_stack, lab, multihop, two_routers};

const FRR: &str = "platform = \"frr\"\nversion = \"8.4.4\"\npassword = \"bgp-password\"\n";
const EXTERNAL_FRR: &str =
    "platform = \"frr\"\nversion = \"8.4.4\"\nasn = 64513\npassword = \"bgp-password\"\n";
/// In another autonomous system, so that the sessions are external.
const BIRD: &str = "platform = \"bird\"\nversion = \"2.0.12\"\nasn = 64513\npassword = \"bgp-password\"\n";

/// The longest that all labs, side by side, may take.
const LIMIT: Duration = Duration::from_mins(3);

#[test]
fn every_check_passes() {
    if !can_run("every_check_passes") {
        return;
    }
    let _guard = ONE_AT_A_TIME.lock();
    let started = Instant::now();
    let runs = [
        ("FRR", cluster(FRR), EXPECTED),
        ("BIRD", cluster(BIRD), EXPECTED),
        ("FRR and both families", dual_stack(FRR), EXPECTED_OF_BOTH),
        ("BIRD and both families", dual_stack(BIRD), EXPECTED_OF_BOTH),
        ("BIRD and FRR", two_routers(), EXPECTED_OF_TWO),
        ("FRR behind another router", multihop(cluster(EXTERNAL_FRR)), EXPECTED_BEHIND),
        ("BIRD behind another router, both families", multihop(dual_stack(BIRD)), EXPECTED_BEHIND_OF_BOTH),
    ];
    let reports: Vec<_> = thread::scope(|scope| {
        let runs = runs.map(|(name, folder, expected)| {
            scope.spawn(move || {
                let began = Instant::now();
                let output = lab(folder.path()).output().expect("rk1 runs");
                (name, output, began.elapsed(), expected)
            })
        });
        runs.into_iter().map(|run| run.join().expect("a run")).collect()
    });
    for (name, output, took, expected) in &reports {
        let report = String::from_utf8_lossy(&output.stdout);
        // Show the times even though the test harness captures the output.
        let _ = write!(std::io::stderr(), "lab with {name}, {:.0} s:\n{report}", took.as_secs_f64());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{name}:\n{report}{said}");
        assert_data_eq!(report.as_ref(), *expected);
    }
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
}

/// Seconds and counts of connections differ from run to run; the lab itself judges them.
const EXPECTED: &str = "\
ok     mikrotik: applying the file a second time changes nothing
ok     4 of 4 sessions are established [..] s
ok     10.200.200.1/32 has 4 next hops, one for each node [..] s
ok     [..] connections to 10.200.200.1 reach all 4 nodes
ok     mikrotik: 0.0.0.0/0 and 10.42.0.0/16 from a node are rejected
ok     rk1-04 loses power: 3 next hops are left, within the hold time of 9 s [..] s
ok     [..] later connections to 10.200.200.1 reach the other 3 nodes, none is lost ([..] of [..] were lost until then)
ok     rk1-04 is back: 4 next hops [..] s
ok     the agent of rk1-01 restarts: its route is kept, none of [..] connections is lost, the session is back [..] s
ok     mikrotik reboots: all sessions and routes are back after it answers [..] s
ok     rk1-04 as AS 64999 is rejected: the router's log says `Bad Peer AS`
ok     rk1-03 with a wrong password is rejected: the router's kernel counts it
ok     two speakers at rk1-01's address never both have a session, and its route is kept
ok     mikrotik: after undoing, nothing of the file is left in the router
ok     the gateway has no next hops left [..] s
";

/// The router is not on the nodes' network: no traffic is sent through it.
const EXPECTED_BEHIND: &str = "\
ok     mikrotik: applying the file a second time changes nothing
ok     4 of 4 sessions are established [..] s
ok     10.200.200.1/32 is routed to the router in front of the nodes [..] s
ok     mikrotik: 0.0.0.0/0 and 10.42.0.0/16 from a node are rejected
ok     rk1-04 loses power: 3 nodes with sessions are left, within the hold time of 9 s [..] s
ok     rk1-04 is back: 4 nodes with sessions [..] s
ok     mikrotik reboots: all sessions and routes are back after it answers [..] s
ok     rk1-04 as AS 64999 is rejected: the router's log says `Bad Peer AS`
ok     rk1-03 with a wrong password is rejected: the router's kernel counts it
ok     two speakers at rk1-01's address never both have a session
ok     mikrotik: after undoing, nothing of the file is left in the router
ok     the gateway has no next hops left [..] s
";
const EXPECTED_BEHIND_OF_BOTH: &str = "\
ok     mikrotik: applying the file a second time changes nothing
ok     8 of 8 sessions are established [..] s
ok     10.200.200.1/32 is routed to the router in front of the nodes [..] s
ok     fd00:10:200:200::1/128 is routed to the router in front of the nodes [..] s
ok     mikrotik: 0.0.0.0/0 and 10.42.0.0/16 from a node are rejected
ok     mikrotik: ::/0 and fd00:10:42::/56 from a node are rejected
ok     rk1-04 loses power: 3 nodes with sessions are left, within the hold time of 9 s [..] s
ok     rk1-04 is back: 4 nodes with sessions [..] s
ok     mikrotik reboots: all sessions and routes are back after it answers [..] s
ok     rk1-04 as AS 64999 is rejected: the router's log says `Bad Peer AS`
ok     rk1-03 with a wrong password is rejected: the router's kernel counts it
ok     two speakers at rk1-01's address never both have a session
ok     mikrotik: after undoing, nothing of the file is left in the router
ok     the gateway has no next hops left [..] s
";

/// With several sessions there is no graceful restart, so no route is kept while an agent restarts.
const EXPECTED_OF_BOTH: &str = "\
ok     mikrotik: applying the file a second time changes nothing
ok     8 of 8 sessions are established [..] s
ok     10.200.200.1/32 has 4 next hops, one for each node [..] s
ok     fd00:10:200:200::1/128 has 4 next hops, one for each node [..] s
ok     [..] connections to 10.200.200.1 reach all 4 nodes
ok     [..] connections to fd00:10:200:200::1 reach all 4 nodes
ok     mikrotik: 0.0.0.0/0 and 10.42.0.0/16 from a node are rejected
ok     mikrotik: ::/0 and fd00:10:42::/56 from a node are rejected
ok     rk1-04 loses power: 3 next hops are left, within the hold time of 9 s [..] s
ok     [..] later connections to 10.200.200.1 reach the other 3 nodes, none is lost ([..] of [..] were lost until then)
ok     [..] later connections to fd00:10:200:200::1 reach the other 3 nodes, none is lost ([..] of [..] were lost until then)
ok     rk1-04 is back: 4 next hops [..] s
ok     mikrotik reboots: all sessions and routes are back after it answers [..] s
ok     rk1-04 as AS 64999 is rejected: the router's log says `Bad Peer AS`
ok     rk1-03 with a wrong password is rejected: the router's kernel counts it
ok     two speakers at rk1-01's address never both have a session
ok     mikrotik: after undoing, nothing of the file is left in the router
ok     the gateway has no next hops left [..] s
";

/// The example with two routers, one of each kind.
const EXPECTED_OF_TWO: &str = "\
ok     mikrotik: applying the file a second time changes nothing
ok     edge: applying the file a second time changes nothing
ok     16 of 16 sessions are established [..] s
ok     10.200.200.1/32 has 4 next hops, one for each node [..] s
ok     fd00:10:200:200::1/128 has 4 next hops, one for each node [..] s
ok     [..] connections to 10.200.200.1 reach all 4 nodes
ok     [..] connections to fd00:10:200:200::1 reach all 4 nodes
ok     mikrotik: 0.0.0.0/0 and 10.42.0.0/16 from a node are rejected
ok     mikrotik: ::/0 and fd00:10:42::/56 from a node are rejected
ok     edge: 0.0.0.0/0 and 10.42.0.0/16 from a node are rejected
ok     edge: ::/0 and fd00:10:42::/56 from a node are rejected
ok     rk1-04 loses power: 3 next hops are left, within the hold time of 9 s [..] s
ok     [..] later connections to 10.200.200.1 reach the other 3 nodes, none is lost ([..] of [..] were lost until then)
ok     [..] later connections to fd00:10:200:200::1 reach the other 3 nodes, none is lost ([..] of [..] were lost until then)
ok     rk1-04 is back: 4 next hops [..] s
ok     mikrotik reboots: all sessions and routes are back after it answers [..] s
ok     all agents start while edge is away: the other routers learn every route [..] s
ok     edge is back: all sessions and routes [..] s
ok     rk1-04 as AS 64999 is rejected: the router's log says `Bad Peer AS`
ok     rk1-03 with a wrong password is rejected: the router's kernel counts it
ok     two speakers at rk1-01's address never both have a session
ok     mikrotik: after undoing, nothing of the file is left in the router
ok     edge: after undoing, nothing of the file is left in the router
ok     the gateway has no next hops left [..] s
";
