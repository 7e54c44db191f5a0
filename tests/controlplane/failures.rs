//! What happens to a running cluster, and how long it takes to recover.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::namespace::{next_hops, set_cable};
use crate::play::{CLASS, GATEWAY, OPERATOR, Play, SOON, condition, report};
use crate::wait::until;

/// Within this time after a router answers again, all sessions are back.
const ROUTER_BACK: Duration = Duration::from_secs(10);
/// The time that a router takes to boot in the play. Long enough that each node has dialed in vain.
const ROUTER_BOOT: Duration = Duration::from_secs(12);
/// The time that an agent is away.
const AGENT_AWAY: Duration = Duration::from_secs(2);
/// What a route takes beyond the hold time until it is gone, and the look at it.
const SLACK: Duration = Duration::from_secs(2);

const ADVERTISEMENT: &str = "/apis/cilium.io/v2/ciliumbgpadvertisements/load-balancer-addresses";

impl Play<'_> {
    /// Another service cannot have the gateway's address, also while the gateway is not there.
    pub(crate) fn taken_address(&self) {
        self.kubernetes.api.delete(GATEWAY);
        let gateway_service = "/api/v1/namespaces/gateway/services/cilium-gateway-shared";
        until("the gateway's service is gone", SOON, || {
            // Nothing collects garbage here, which would delete the service with its owner.
            let _ =
                self.kubernetes.api.get(gateway_service).map(|_| self.kubernetes.api.delete(gateway_service));
            self.kubernetes.api.get(gateway_service).is_none()
        });
        let addresses: Vec<_> = self.gateway().each().collect();
        let listed: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        let service = |name: &str, annotations: Value| {
            json!({ "apiVersion": "v1", "kind": "Service",
                "metadata": { "name": name, "namespace": "default", "annotations": annotations },
                "spec": { "type": "LoadBalancer", "ports": [{ "port": 1883 }], "ipFamilyPolicy": "PreferDualStack" } })
        };
        self.kubernetes.api.apply_object(&service("mine", json!({}))).expect("a service");
        let thief = service("thief", json!({ "lbipam.cilium.io/ips": listed.join(",") }));
        self.kubernetes.api.apply_object(&thief).expect("a service");
        let path = |name: &str| format!("/api/v1/namespaces/default/services/{name}");
        let addresses_of = |name: &str| self.addresses_of(&path(name));
        until("the other service has its addresses", SOON, || addresses_of("mine").len() == addresses.len());
        assert!(addresses_of("mine").iter().all(|address| !addresses.contains(address)));
        assert!(addresses_of("thief").is_empty());
        self.apply("50-gateway.yaml");
        let took = until("the gateway has its address again", SOON, || {
            condition(&self.object(GATEWAY), "Programmed") == Some("True")
        });
        report("the gateway is programmed again", took);
        self.until_converged("the gateway is announced again");
        assert!(addresses_of("thief").is_empty());
        for name in ["mine", "thief"] {
            self.kubernetes.api.delete(&path(name));
        }
    }

    pub(crate) fn label_mismatch(&self) {
        let labels = |value: &str| json!({ "metadata": { "labels": { "advertise": value } } });
        self.kubernetes.api.patch(ADVERTISEMENT, &labels("bpg"));
        until("the routes are withdrawn", SOON, || {
            let gateways: Vec<_> = self.gateway().each().collect();
            self.routers.iter().all(|router| {
                gateways.iter().all(|gateway| next_hops(&router.namespace, *gateway).is_empty())
            })
        });
        self.status("6-label-mismatch");
        self.kubernetes.api.patch(ADVERTISEMENT, &labels("bgp"));
        self.until_converged("the labels match again");
    }

    pub(crate) fn router_reboots(&mut self) {
        self.routers[0].kill();
        thread::sleep(ROUTER_BOOT);
        self.status("7-router-down");
        self.routers[0].start();
        let took =
            until("all sessions after the router's boot", SOON, || self.established() == self.all_sessions());
        report("router reboot: all sessions after the router answers", took);
        assert!(took <= ROUTER_BACK, "{took:?}");
        self.until_converged("the routes after the router's boot");
        self.status("8-router-back");
    }

    pub(crate) fn agent_restarts(&mut self) {
        let node = self.nodes()[0].clone();
        let keeps = self.cluster.bgp.as_ref().expect("BGP").graceful_restart.is_some()
            && self.routers.len() * self.gateway().each().count() == 1;
        self.kubernetes.kill_agent(&node);
        let pod = format!("cilium-{node}");
        let labels = json!({ "k8s-app": "cilium" });
        self.kubernetes.pod(&pod, &node, &labels, false);
        thread::sleep(AGENT_AWAY);
        assert_eq!(self.has_next_hops(None), keeps, "whether the routes are kept");
        self.status("9-agent-killed");
        self.kubernetes.start_agent(&node);
        self.kubernetes.pod(&pod, &node, &labels, true);
        self.until_converged("agent restart: all sessions and routes after its start");
    }

    pub(crate) fn node_is_lost(&mut self) {
        let node = self.nodes().pop().expect("a node");
        let hold_time = Duration::from_secs(self.cluster.bgp.as_ref().expect("BGP").hold_time.into());
        set_cable(&node, false);
        let took =
            until("the lost node's routes are gone", hold_time + SLACK, || self.has_next_hops(Some(&node)));
        report("node lost: its routes are gone", took);
        self.kubernetes.node_is_ready(&node, false);
        self.status("10-node-lost");
        self.kubernetes.node_is_ready(&node, true);
        set_cable(&node, true);
        self.until_converged("node back: all sessions and routes");
    }

    /// While the second router is away, agents start: the first router learns everything at once.
    pub(crate) fn second_router_is_down(&mut self) {
        self.routers[1].kill();
        for node in self.nodes() {
            self.kubernetes.kill_agent(&node);
        }
        until("no session", SOON, || self.established() == 0);
        for node in self.nodes() {
            self.kubernetes.start_agent(&node);
        }
        self.until_converged(
            "one of two routers away: the other's sessions and routes after the agents' start",
        );
        self.status("11-second-router-down");
        self.routers[1].start();
        let took = until("all sessions after the second router's boot", SOON, || {
            self.established() == self.all_sessions()
        });
        report("second router back: all sessions after it answers", took);
        assert!(took <= ROUTER_BACK, "{took:?}");
        self.until_converged("second router back: all routes");
    }

    pub(crate) fn later_gateway_api(&mut self) {
        for release in ["1.6.3", "1.7.0"] {
            self.apply_gateway_api(release);
            self.kubernetes.restart_operator();
            let change = json!({ "metadata": { "annotations": { "rk1.test/release": release } } });
            self.kubernetes.api.patch(GATEWAY, &change);
            let generation = |object: &Value| object["metadata"]["generation"].clone();
            until("the gateway is programmed", OPERATOR, || {
                let (gateway, class) = (self.object(GATEWAY), self.object(CLASS));
                let observed = &gateway["status"]["conditions"][0]["observedGeneration"];
                condition(&class, "Accepted") == Some("True")
                    && condition(&gateway, "Programmed") == Some("True")
                    && *observed == generation(&gateway)
            });
            self.until_converged(&format!("Gateway API {release}"));
        }
        self.status("12-gateway-api-1.7.0");
    }
}
