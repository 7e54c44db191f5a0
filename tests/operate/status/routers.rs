//! What the router says, over REST and over ssh, and what keeps it from saying it.

use std::collections::BTreeMap;

use serde_json::json;

use crate::certificates::Authority;
use crate::cluster::{ROUTER_STATUS, ROUTES, SESSIONS, TestCluster, basic, compare, screen_of, with_cluster};
use crate::host::Host;
use crate::server::Service;

const USER: &str = "user = \"rk1\"\n";

fn authorization(cluster: &mut TestCluster, value: String) {
    if let Some(Service::Pages { authorization, .. }) = &mut cluster.router.service {
        *authorization = Some(value);
    }
}

#[test]
fn a_router_is_down() {
    screen_of("router-down", |cluster| cluster.router.service = None);
}

#[test]
fn a_password_is_wrong() {
    screen_of("router-401", |cluster| authorization(cluster, basic("rk1", "another")));
}

#[test]
fn a_password_that_others_can_read_is_not_sent() {
    screen_of("router-password-exposed", |cluster| cluster.password_mode = 0o644);
}

#[test]
fn an_untrusted_certificate_is_shown_by_its_fingerprint() {
    with_cluster("router-untrusted", |mut cluster| {
        let identity = Authority::new("the router's own").sign("172.16.10.1");
        cluster.router.identity = Some(identity.clone());
        compare("router-untrusted", &cluster.status(&[]).replace(&identity.fingerprint(), "FINGERPRINT"));
    });
}

#[test]
fn a_certificate_with_the_pinned_fingerprint_is_accepted() {
    screen_of("router-pinned", |cluster| {
        let identity = Authority::new("the router's own").sign("router.lan");
        cluster.edit(USER, &format!("{USER}fingerprint = \"{}\"\n", identity.fingerprint()));
        cluster.router.identity = Some(identity);
    });
}

#[test]
fn a_certificate_with_another_fingerprint_is_refused() {
    with_cluster("router-other-fingerprint", |mut cluster| {
        let shown = cluster.router.identity.as_ref().expect("a certificate").fingerprint();
        cluster.edit(USER, &format!("{USER}fingerprint = \"{}\"\n", "5e:7f".repeat(16)));
        compare("router-other-fingerprint", &cluster.status(&[]).replace(&shown, "FINGERPRINT"));
    });
}

#[test]
fn plain_http_is_used_where_the_url_says_so() {
    screen_of("router-http", |cluster| {
        cluster.edit(USER, &format!("{USER}url = \"http://172.16.10.1\"\n"));
        cluster.router.identity = None;
        "172.16.10.1:80".clone_into(&mut cluster.router.address);
    });
}

/// One has no `established`, one has ended, one is not there; of the fourth there is an old one too.
#[test]
fn half_the_sessions_are_established() {
    screen_of("router-half", |cluster| {
        let sessions = cluster.page(SESSIONS).as_array_mut().expect("sessions");
        let mut old = sessions[3].clone();
        sessions.remove(2);
        for number in [0, 1] {
            sessions[number].as_object_mut().expect("session").remove("established");
        }
        sessions[1]["stopped"] = json!("true");
        old["established"] = json!("false");
        sessions.push(old);
    });
}

#[test]
fn the_user_of_the_router_is_missing() {
    screen_of("router-unsaid", |cluster| {
        cluster.edit(ROUTER_STATUS, "");
        cluster.edit("router-password = \"secrets/router\"\n", "");
    });
}

#[test]
fn a_router_whose_status_is_off_is_skipped() {
    screen_of("router-off", |cluster| cluster.edit(USER, &format!("{USER}enable = false\n")));
}

#[test]
fn the_environment_has_the_password() {
    for (name, set) in [("router-environment", true), ("router-no-password", false)] {
        screen_of(name, |cluster| {
            cluster.edit(ROUTER_STATUS, "[bgp.router.status]\nuser = \"rk1\"\n");
            cluster.edit("router-password = \"secrets/router\"\n", "");
            authorization(cluster, basic("rk1", "from the environment"));
            if set {
                cluster.environment.push(("RK1_PASSWORD_MIKROTIK", "from the environment".to_owned()));
            }
        });
    }
}

#[test]
fn the_route_to_the_gateway_leads_elsewhere() {
    screen_of("route-stranger", |cluster| {
        cluster.page(ROUTES)[2]["gateway"] = json!("172.16.10.99%bridge");
    });
    screen_of("route-none", |cluster| *cluster.page(ROUTES) = json!([]));
    // Several gateways of one route, and one that is not in use.
    screen_of("route-gateways", |cluster| {
        *cluster.page(ROUTES) = json!([
            { "gateway": "172.16.10.221%bridge,172.16.10.222%bridge,172.16.10.223", "active": "true" },
            { "gateway": "172.16.10.224" },
        ]);
    });
}

/// Before 7.22 there is one next hop at a time.
#[test]
fn an_older_router_installs_one_next_hop() {
    screen_of("route-single", |cluster| {
        cluster.edit("version = \"7.22\"", "version = \"7.18\"");
        cluster.page(ROUTES).as_array_mut().expect("routes").truncate(1);
    });
}

/// As FRR 8.4.4 prints it, but for the figures that nobody reads.
fn vtysh() -> String {
    let peer = |address: &str, state: &str, uptime: &str, routes: u32| {
        let peer =
            json!({ "remoteAs": 64512, "state": state, "peerUptime": uptime, "pfxRcd": routes, "pfxSnt": 0 });
        (address.to_owned(), peer)
    };
    let peers: BTreeMap<_, _> = [
        peer("172.16.10.221", "Established", "02:03:04", 1),
        peer("172.16.10.222", "Active", "never", 0),
        peer("172.16.10.223", "Established", "1d02h03m", 2),
        peer("172.16.10.224", "Idle (Admin)", "00:01:00", 0),
    ]
    .into();
    let summary = json!({ "routerId": "172.16.10.1", "as": 64512, "peers": peers });
    let hop = |address: &str, active: bool| json!({ "ip": address, "afi": "ipv4", "active": active, "fib": active });
    let hops = [hop("172.16.10.221", true), hop("172.16.10.222", false), hop("172.16.10.223", true)];
    let route = json!({ "10.200.200.1/32": [{ "protocol": "bgp", "selected": true, "nexthops": hops }] });
    format!(
        "case $2 in\n*summary*) echo '% no /etc/frr/vtysh.conf' >&2; echo '{summary}' ;;\n*) echo '{route}' ;;\nesac\n"
    )
}

#[test]
fn frr_is_asked_over_ssh() {
    screen_of("frr", |cluster| {
        cluster.platform("frr", "8.4");
        cluster.hosts.insert("root@172.16.10.1".to_owned(), Host::Programs([("vtysh", vtysh())].into()));
    });
}

#[test]
fn frr_prints_something_unexpected() {
    screen_of("frr-refuses", |cluster| {
        cluster.platform("vyos", "1.4");
        let vtysh = "echo 'failed to connect to any daemons.' >&2; exit 1\n".to_owned();
        cluster.hosts.insert("vyos@172.16.10.1".to_owned(), Host::Programs([("vtysh", vtysh)].into()));
    });
}

/// As BIRD 2.0.12 prints it, but for the figures that nobody reads.
const BIRDC: &str = r"
case $* in
'-r show protocols all') cat <<'EOF'
BIRD 2.0.12 ready.
Access restricted
Name       Proto      Table      State  Since         Info
device1    Device     ---        up     23:10:49.604  

rk1-01     BGP        ---        up     23:10:50.537  Established   
  BGP state:          Established
    Neighbor address: 172.16.10.221
    Neighbor AS:      64512
    Hold timer:       7.577/9
  Channel ipv4
    State:          UP
    Routes:         1 imported, 0 exported, 1 preferred
rk1-02     BGP        ---        start  23:10:50.537  Passive       
  BGP state:          Passive
    Neighbor address: 172.16.10.222
    Last error:       Received: Hold timer expired
  Channel ipv4
    State:          DOWN
    Routes:         0 imported, 0 exported, 0 preferred
rk1-03     BGP        ---        up     23:10:50.537  Established   
  BGP state:          Established
    Neighbor address: 172.16.10.223
  Channel ipv4
    State:          UP
    Routes:         0 imported, 0 exported, 0 preferred
EOF
;;
'-r show route 10.200.200.1/32') cat <<'EOF'
BIRD 2.0.12 ready.
Access restricted
Table master4:
10.200.200.1/32      unicast [rk1-01 23:10:49.604] * (100) [i]
	via 172.16.10.221 on eth0
EOF
;;
esac
";

#[test]
fn bird_is_asked_over_ssh() {
    screen_of("bird", |cluster| {
        cluster.platform("bird", "2.0.12");
        cluster.edit(
            "version = \"2.0.12\"\n",
            "version = \"2.0.12\"\n\n[bgp.router.status]\nssh = \"me@edge\"\n",
        );
        cluster.hosts.insert("me@edge".to_owned(), Host::Programs([("birdc", BIRDC.to_owned())].into()));
    });
}

#[test]
fn bird_is_not_running() {
    screen_of("bird-down", |cluster| {
        cluster.platform("bird", "2.0.12");
        let birdc = "echo 'Unable to connect to server control socket (/run/bird/bird.ctl): No such file' >&2; exit 1\n";
        cluster
            .hosts
            .insert("root@172.16.10.1".to_owned(), Host::Programs([("birdc", birdc.to_owned())].into()));
    });
}
