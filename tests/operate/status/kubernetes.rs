//! Kubernetes, and the ways to it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::certificates::Authority;
use crate::cluster::{CERTIFICATE, CLASS, NODES, SHARED, TestCluster, kubeconfig_of_k3s, screen_of};
use crate::host::Host;
use crate::server::Service;

pub(crate) fn pages(
    cluster: &mut TestCluster,
) -> (&mut Option<String>, &mut BTreeMap<String, Value>, &mut Vec<&'static str>) {
    match &mut cluster.api.service {
        Some(Service::Pages { authorization, pages, kinds }) => (authorization, pages, kinds),
        _ => panic!("Kubernetes serves pages"),
    }
}

#[test]
fn the_api_server_is_down() {
    screen_of("kubernetes-down", |cluster| cluster.api.service = None);
}

#[test]
fn the_api_server_denies_access() {
    screen_of("kubernetes-401", |cluster| *pages(cluster).0 = Some("Bearer another".to_owned()));
}

#[test]
fn another_server_answers_as_the_api_server() {
    screen_of("kubernetes-untrusted", |cluster| {
        cluster.api.identity = Some(Authority::new("another").sign(NODES[0].1));
    });
}

/// The kubeconfig is a server's; the API server of the second server is the one that answers.
fn use_kubeconfig_of_servers(cluster: &mut TestCluster, change: impl FnOnce(&mut Value)) {
    let authority = Authority::new("k3s-server-ca");
    let mut config = kubeconfig_of_k3s(&authority);
    change(&mut config);
    cluster.api.identity = Some(authority.sign_for_clients(NODES[1].1));
    cluster.api.address = format!("{}:6443", NODES[1].1);
    *pages(cluster).0 = None;
    cluster.kubeconfig = None;
    for server in 0..2 {
        cluster.module(server, |module| module.kubeconfig = Some(config.to_string()));
    }
}

#[test]
fn the_kubeconfig_of_a_server_is_used() {
    screen_of("kubernetes-by-server", |cluster| use_kubeconfig_of_servers(cluster, |_| {}));
}

/// A server that has been taken over names a program in its kubeconfig. It must not be run.
#[test]
fn a_program_in_the_kubeconfig_of_a_server_is_not_run() {
    let mark = std::env::temp_dir().join(format!("rk1-kubeconfig-exec-{}", std::process::id()));
    screen_of("kubernetes-exec", |cluster| {
        use_kubeconfig_of_servers(cluster, |config| {
            config["users"][0]["user"] = json!({ "exec": {
                "apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/touch",
                "args": [mark.display().to_string()], "interactiveMode": "Never",
            } });
        });
    });
    assert!(!mark.exists(), "the program of the node has run");
}

#[test]
fn an_endless_answer_is_not_read_to_its_end() {
    screen_of("kubernetes-endless", |cluster| {
        cluster.kubeconfig = None;
        for server in 0..3 {
            let endless = "exec /bin/cat /dev/zero\n".to_owned();
            cluster.host(server, Host::Programs([("cat", endless.clone()), ("systemctl", endless)].into()));
        }
        cluster.router.service = Some(Service::Endless);
    });
}

#[test]
fn no_server_has_a_kubeconfig() {
    screen_of("kubernetes-no-kubeconfig", |cluster| {
        cluster.kubeconfig = None;
        for server in 0..3 {
            cluster.module(server, |module| module.kubeconfig = Some("never-printed: [".to_owned()));
        }
    });
}

#[test]
fn the_kubeconfig_is_not_a_kubeconfig() {
    screen_of("kubernetes-kubeconfig", |cluster| {
        cluster.kubeconfig = Some("clusters: never-printed\n".to_owned());
    });
}

#[test]
fn the_kubeconfig_is_missing() {
    screen_of("kubernetes-no-file", |cluster| {
        cluster.kubeconfig = None;
        cluster.environment.push(("KUBECONFIG", "/there/is/none".to_owned()));
    });
}

/// What is asked about is what is rendered.
#[test]
fn the_objects_are_those_of_the_manifests() {
    let manifest = include_str!("../../../manifests/50-gateway.yaml");
    let last = |path: &str| path.rsplit('/').next().expect("a name").to_owned();
    for line in [
        format!("kind: Gateway\nmetadata:\n  name: {}\n  namespace: gateway\n", last(SHARED)),
        format!("gatewayClassName: {}\n", last(CLASS)),
        format!("name: {}\n", last(CERTIFICATE)),
    ] {
        assert!(manifest.contains(&line), "{line}");
    }
}
