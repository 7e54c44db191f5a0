//! Nodes, well and not.

use serde_json::json;

use crate::cluster::{NODE_LIST, ROUTES, SESSIONS, compare, screen_of, with_cluster};
use crate::host::{Figures, Host};

#[test]
fn everything_is_healthy() {
    screen_of("healthy", |_| {});
}

/// What Cilium wrote on it last says "established" still.
#[test]
fn a_node_is_down() {
    screen_of("node-down", |cluster| {
        cluster.hosts.remove("root@172.16.10.222");
        cluster.page(NODE_LIST)["items"][1]["status"]["conditions"] = json!([{
            "type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown",
            "message": "Kubelet stopped posting node status.",
        }]);
        cluster.page(SESSIONS).as_array_mut().expect("sessions").remove(1);
        cluster.page(ROUTES).as_array_mut().expect("routes").remove(1);
    });
}

#[test]
fn each_node_has_another_fault() {
    screen_of("node-faults", |cluster| {
        cluster.module(0, |module| {
            module.active.retain(|unit| *unit != "k3s.service");
            module.mounts.clear();
        });
        cluster.module(1, |module| {
            module.mounts[1].1 = "ro,noatime";
            module.active.retain(|unit| *unit != "xdp-streamer.service");
        });
        cluster.module(2, |module| module.mounts.retain(|(path, _)| *path != "/var/lib/rancher"));
        cluster.page(NODE_LIST)["items"][2]["spec"] = json!({ "unschedulable": true });
        cluster.page(NODE_LIST)["items"].as_array_mut().expect("nodes").remove(3);
    });
}

#[test]
fn each_streamer_has_another_fault() {
    screen_of("streamer-faults", |cluster| {
        let before = Figures::default();
        let figures = [
            Figures { packets: 60_000, lost: 700, delivered: 820, ..before },
            Figures { delivered: 820, refused: 25, ..before },
            Figures { delivered: 820, dropped: 40, ..before },
            Figures { waiting: 90, ..before },
        ];
        for (number, after) in figures.into_iter().enumerate() {
            cluster.module(number, |module| module.figures[1] = after.page());
        }
    });
}

/// What was lost before one looked is a figure; a page that is not the streamer's is none.
#[test]
fn losses_before_the_check_do_not_count() {
    screen_of("streamer-past", |cluster| {
        let past = Figures { packets: 90_000, lost: 512, dropped: 40, ..Figures::default() };
        let figures = [past.page(), Figures { delivered: 820, ..past }.page()];
        cluster.module(0, |module| module.figures = figures);
        cluster.module(1, |module| module.figures = [String::new(), String::new()]);
        cluster.module(2, |module| module.figures[1] = Figures { attached: 0, ..Figures::default() }.page());
    });
}

/// The user's ssh configuration knows the node by another name.
#[test]
fn a_node_is_reached_by_another_target() {
    with_cluster("a node is reached by another target", |mut cluster| {
        cluster.edit(
            "address = \"172.16.10.222/24\"\n",
            "address = \"172.16.10.222/24\"\nssh = \"admin@behind-the-bastion\"\n",
        );
        let host = cluster.hosts.remove("root@172.16.10.222").expect("a node");
        cluster.hosts.insert("admin@behind-the-bastion".to_owned(), host);
        compare("healthy", &cluster.status(&[]));
    });
}

/// The DHCP server gives one node another address than the one that is reserved for it, and one node none.
#[test]
fn a_lease_has_the_address_of_the_file() {
    screen_of("node-lease", |cluster| {
        let gateway = "gateway = \"172.16.10.1\"\n";
        cluster.edit(gateway, &format!("{gateway}interface = {{ dhcp = true }}\n"));
        cluster.edit(
            "address = \"172.16.10.222/24\"\n",
            "address = \"172.16.10.222/24\"\nssh = \"root@rk1-02.home.arpa\"\n",
        );
        cluster.edit(
            "address = \"172.16.10.224/24\"\n",
            "address = \"172.16.10.224/24\"\ninterface = { dhcp = false }\n",
        );
        cluster.module(0, |module| module.addresses = vec!["172.16.10.221/24"]);
        cluster.module(1, |module| module.addresses = vec!["172.16.10.57/24", "10.42.1.1/32"]);
        let host = cluster.hosts.remove("root@172.16.10.222").expect("a node");
        cluster.hosts.insert("root@rk1-02.home.arpa".to_owned(), host);
        cluster.hosts.remove("root@172.16.10.223");
    });
}

#[test]
fn nodes_that_deny_access_are_unknown() {
    screen_of("node-closed", |cluster| {
        cluster.host(0, Host::Refuses("root@172.16.10.221: Permission denied (publickey)."));
        cluster.host(1, Host::Refuses("Host key verification failed."));
        cluster.host(2, Host::Programs([("sh", "echo 'k3s: not found' >&2; exit 1\n".to_owned())].into()));
    });
}
