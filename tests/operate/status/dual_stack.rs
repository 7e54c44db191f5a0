//! A cluster of two address families: each session has one of the other family beside it.

use serde_json::{Value, json};

use crate::cluster::{NODES, PEER_LIST, SESSIONS, SHARED, TestCluster, screen_of};
use crate::server::Service;

pub(crate) const ROUTER: &str = "fd00:172:16:10::1";
const GATEWAY: &str = "fd00:10:200:200::1";
const ROUTES: &str = "/rest/ipv6/route?dst-address=fd00:10:200:200::1/128";

/// `fd00:172:16:10::221` for 172.16.10.221.
fn node(ipv4: &str) -> String {
    format!("fd00:172:16:10::{}", ipv4.rsplit('.').next().expect("a number"))
}

impl TestCluster {
    /// Gives everything its second address.
    pub(crate) fn give_ipv6(&mut self) {
        self.edit(
            "gateway = \"172.16.10.1\"\n",
            &format!(
                "gateway = \"172.16.10.1\"\ngateway-ipv6 = \"{ROUTER}\"\npods-ipv6 = \"fd00:10:42::/56\"\n\
                 services-ipv6 = \"fd00:10:43::/112\"\n"
            ),
        );
        self.edit(
            "pool = \"10.200.200.0/24\"\n",
            "pool = \"10.200.200.0/24\"\npool-ipv6 = \"fd00:10:200:200::/112\"\n",
        );
        for (ipv4, ipv6) in [("172.16.10.1", ROUTER), ("10.200.200.1", GATEWAY)] {
            let line = format!("\naddress = \"{ipv4}\"\n");
            self.edit(&line, &format!("{line}address-ipv6 = \"{ipv6}\"\n"));
        }
        for (_, ipv4) in NODES {
            let line = format!("address = \"{ipv4}/24\"\n");
            self.edit(&line, &format!("{line}address-ipv6 = \"{}/64\"\n", node(ipv4)));
        }
        for item in self.page(PEER_LIST)["items"].as_array_mut().expect("nodes") {
            let peers = item["status"]["bgpInstances"][0]["peers"].as_array_mut().expect("peers");
            let mut peer = peers[0].clone();
            (peer["name"], peer["peerAddress"]) = (json!("mikrotik-ipv6"), json!(ROUTER));
            peer["routeCount"][0]["afi"] = json!("ipv6");
            peers.push(peer);
        }
        let addresses = self.page(SHARED)["status"]["addresses"].as_array_mut().expect("addresses");
        addresses.push(json!({ "type": "IPAddress", "value": GATEWAY }));
        let sessions = self.page(SESSIONS).as_array_mut().expect("sessions");
        for number in 0..NODES.len() {
            let mut session = sessions[number].clone();
            session["remote.address"] = json!(node(NODES[number].1));
            sessions.push(session);
        }
        if let Some(Service::Pages { pages, .. }) = &mut self.router.service {
            let routes = NODES
                .map(|(_, ipv4)| json!({ "gateway": format!("{}%bridge", node(ipv4)), "active": "true" }));
            pages.insert(ROUTES.to_owned(), Value::from(routes.to_vec()));
        }
    }
}

#[test]
fn both_families_are_healthy() {
    screen_of("dual-stack", TestCluster::give_ipv6);
}

/// Over IPv6 one session is down on both sides, one on the router's alone, and the gateway has no address.
#[test]
fn one_family_is_unhealthy() {
    screen_of("dual-stack-faults", |cluster| {
        cluster.give_ipv6();
        cluster.page(PEER_LIST)["items"][0]["status"]["bgpInstances"][0]["peers"][1]["peeringState"] =
            json!("active");
        for number in [4, 5] {
            cluster.page(SESSIONS)[number]["established"] = json!("false");
        }
        cluster.page(ROUTES).as_array_mut().expect("routes").drain(..2);
        cluster.page(SHARED)["status"]["addresses"].as_array_mut().expect("addresses").pop();
    });
}
