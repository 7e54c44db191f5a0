//! The first cause of each failure that was seen with the real controllers, or that a home cluster meets: conditions and
//! messages are theirs.

use serde_json::{Value, json};

use crate::cluster::{
    ADDON_EVENTS, ADVERTISEMENT_LIST, CERT_MANAGER_PODS, CERTIFICATE, CHALLENGE_LIST, CHART_LIST,
    CILIUM_NODE_LIST, CLASS, CLUSTER_CONFIG_LIST, EXPIRY_EVENTS, GATEWAY_SERVICE, ISSUER, JOB_LIST,
    NODE_LIST, ORDER_LIST, PEER_CONFIG_LIST, PEER_LIST, REQUEST_LIST, ROUTES, SESSIONS, SHARED, SYSTEM_PODS,
    TestCluster, compare, condition, hence, pod, printed, with_cluster,
};
use crate::host::etcd_page;
use crate::kubernetes::pages;

/// Runs `rk1 status` on a cluster that `spoil` has spoilt, and compares what it prints with the screen of this name. Below the
/// screen stands what `--json` says of each finding that is wrong: its cause, and the object that says so.
fn cause_of(name: &str, spoil: impl FnOnce(&mut TestCluster) + Send) {
    with_cluster(name, |mut cluster| {
        spoil(&mut cluster);
        let (mut command, _folder) = cluster.start(&[]);
        let screen = printed(&mut command);
        let json = command.arg("--json").output().expect("rk1 runs").stdout;
        let mut wrong = Vec::new();
        causes(&serde_json::from_slice(&json).expect("JSON"), &mut wrong);
        wrong.dedup();
        compare(name, &format!("{screen}--- causes in JSON\n{}", wrong.concat()));
    });
}

/// Collects the cause and the object of every wrong finding.
fn causes(json: &Value, wrong: &mut Vec<String>) {
    if json["state"] == "wrong" {
        let cause = json["cause"].as_str().expect("a cause");
        let object = json["object"].as_str().map(|object| format!(": {object}"));
        wrong.push(format!("{cause}{}\n", object.unwrap_or_default()));
    }
    match json {
        Value::Object(fields) => fields.values().for_each(|field| causes(field, wrong)),
        Value::Array(items) => items.iter().for_each(|item| causes(item, wrong)),
        _ => {}
    }
}

/// The certificate has not been issued yet.
fn without_certificate(cluster: &mut TestCluster) {
    let message = "Issuing certificate as Secret does not exist";
    cluster.page(CERTIFICATE)["status"] =
        json!({ "conditions": [condition("Ready", "False", "DoesNotExist", message)] });
    cluster.gateway.service = None;
}

/// The gateway has no address, and so nothing is announced.
fn without_address(cluster: &mut TestCluster) {
    let message = "Gateway waiting for address";
    cluster.page(SHARED)["status"] =
        json!({ "conditions": [condition("Programmed", "False", "AddressNotAssigned", message)] });
    cluster.gateway.service = None;
}

fn nothing_is_announced(cluster: &mut TestCluster) {
    for number in 0..4 {
        let peer = &mut cluster.page(PEER_LIST)["items"][number]["status"]["bgpInstances"][0]["peers"][0];
        peer["routeCount"][0]["advertised"] = json!(0);
        cluster.page(SESSIONS)[number]["prefix-count"] = json!("0");
    }
    *cluster.page(ROUTES) = json!([]);
}

/// Adds an object to a list.
fn add(cluster: &mut TestCluster, list: &str, object: Value) {
    cluster.page(list)["items"].as_array_mut().expect("a list").push(object);
}

fn acme_step(name: &str, state: &str, reason: &str) -> Value {
    json!({ "metadata": { "name": name, "creationTimestamp": "2026-11-20T08:00:00Z" },
        "status": { "state": state, "reason": reason } })
}

fn event(object: &str, time: &str, kind: &str, message: &str) -> Value {
    json!({ "involvedObject": { "name": object }, "type": kind, "message": message, "lastTimestamp": time })
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({ "reason": reason, "message": message })
}

#[test]
fn the_secret_of_the_solver_is_missing() {
    cause_of("cause-solver-secret", |cluster| {
        without_certificate(cluster);
        let message = "failed to get secret \"azure-dns-secret\"";
        cluster.page(ISSUER)["status"] =
            json!({ "conditions": [condition("Ready", "False", "InvalidSolver", message)] });
    });
}

#[test]
fn the_acme_server_is_not_reached() {
    cause_of("cause-acme", |cluster| {
        without_certificate(cluster);
        let message = "Failed to register ACME account: Get \"https://acme-v02.api.letsencrypt.org/directory\": dial \
                       tcp: lookup acme-v02.api.letsencrypt.org: i/o timeout";
        cluster.page(ISSUER)["status"] =
            json!({ "conditions": [condition("Ready", "False", "ErrRegisterACMEAccount", message)] });
    });
}

/// Each step that cert-manager has reached says more than the one before it.
#[test]
fn the_certificate_is_not_issued() {
    cause_of("cause-challenge-pending", |cluster| {
        without_certificate(cluster);
        add(cluster, ORDER_LIST, acme_step("shared-gateway-certificate-1-1", "pending", ""));
        add(cluster, CHALLENGE_LIST, acme_step("shared-gateway-certificate-1-1-1", "pending", ""));
    });
    cause_of("cause-challenge-failed", |cluster| {
        without_certificate(cluster);
        let reason = "Error accepting authorization: acme: authorization error for virtualthoughts.co.uk: 403 \
                      urn:ietf:params:acme:error:unauthorized: Incorrect TXT record";
        add(cluster, CHALLENGE_LIST, acme_step("shared-gateway-certificate-1-1-1", "invalid", reason));
    });
    cause_of("cause-order", |cluster| {
        without_certificate(cluster);
        let reason = "Failed to create Order: 429 urn:ietf:params:acme:error:rateLimited: too many certificates \
                      already issued for \"virtualthoughts.co.uk\"";
        add(cluster, ORDER_LIST, acme_step("shared-gateway-certificate-1-1", "errored", reason));
    });
    cause_of("cause-request", |cluster| {
        without_certificate(cluster);
        let message = "The CertificateRequest was denied by policy";
        let denied = json!({ "metadata": { "name": "shared-gateway-certificate-1", "creationTimestamp": "2026-11-20T08:00:00Z" },
            "status": { "conditions": [condition("Denied", "True", "policy", message)] } });
        add(cluster, REQUEST_LIST, denied);
    });
}

#[test]
fn the_certificate_is_of_the_staging_issuer() {
    cause_of("cause-staging", |cluster| {
        cluster.page(CERTIFICATE)["spec"]["issuerRef"]["name"] = json!("letsencrypt-staging");
    });
}

/// The gateway waits for its address. Its service says why.
#[test]
fn the_gateway_gets_no_address() {
    let reasons = [
        (
            "cause-address-taken",
            "already_allocated",
            "The IP '10.200.200.1' is already allocated to another service",
        ),
        ("cause-no-pool", "no_pool", "No pool exists with a CIDR containing '10.200.200.1'"),
        (
            "cause-other-pool",
            "pool_selector_mismatch",
            "The pool with the CIDR containing '10.200.200.1', doesn't select this service",
        ),
    ];
    for (name, reason, message) in reasons {
        cause_of(name, |cluster| {
            without_address(cluster);
            nothing_is_announced(cluster);
            cluster.page(GATEWAY_SERVICE)["status"] = json!({ "conditions": [condition("cilium.io/IPAMRequestSatisfied", "False", reason, message)] });
        });
    }
}

#[test]
fn the_labels_select_no_advertisement() {
    cause_of("cause-advertisement", |cluster| {
        nothing_is_announced(cluster);
        // Cilium still counts the route of one session as advertised.
        cluster.page(PEER_LIST)["items"][0]["status"]["bgpInstances"][0]["peers"][0]["routeCount"][0]["advertised"] =
            json!(1);
        cluster.page(ADVERTISEMENT_LIST)["items"][0]["metadata"]["labels"] = json!({ "advertise": "bpg" });
    });
}

#[test]
fn the_secret_of_a_password_is_missing() {
    cause_of("cause-bgp-password", |cluster| {
        let message = "Referenced Auth Secret \"bgp-mikrotik\" is missing";
        cluster.page(PEER_CONFIG_LIST)["items"][0]["status"]["conditions"] =
            json!([condition("cilium.io/MissingAuthSecret", "True", "MissingAuthSecret", message)]);
    });
}

/// Neither its BGP nor its API answers: it has no power, or its address is another's.
#[test]
fn the_router_is_off() {
    cause_of("cause-router-off", |cluster| {
        cluster.router.service = None;
        cluster.gateway.service = None;
        for number in 0..4 {
            let peer = &mut cluster.page(PEER_LIST)["items"][number]["status"]["bgpInstances"][0]["peers"][0];
            peer["peeringState"] = json!("active");
        }
    });
}

/// Cilium's operator configures no node.
fn without_peers(cluster: &mut TestCluster, kind: &str, reason: &str, message: &str) {
    for number in 0..4 {
        cluster.page(PEER_LIST)["items"][number]["status"] = json!({});
        cluster.page(SESSIONS)[number]["established"] = json!("false");
    }
    *cluster.page(ROUTES) = json!([]);
    cluster.page(CLUSTER_CONFIG_LIST)["items"][0]["status"] =
        json!({ "conditions": [condition(kind, "True", reason, message)] });
}

#[test]
fn the_operator_configures_no_node() {
    cause_of("cause-no-matching-node", |cluster| {
        let message = "No node matches spec.nodeSelector";
        without_peers(cluster, "cilium.io/NoMatchingNode", "MatchingNodeUnavailable", message);
    });
    cause_of("cause-peer-config-missing", |cluster| {
        let message = "Referenced CiliumBGPPeerConfig(s) are missing: [mikrotik]";
        without_peers(cluster, "cilium.io/MissingPeerConfigs", "PeerConfigsMissing", message);
    });
    cause_of("cause-cluster-config-conflict", |cluster| {
        let message = "Selecting the same node(s) with ClusterConfig(s): [mine]";
        without_peers(cluster, "cilium.io/ConflictingClusterConfig", "ClusterConfigConflict", message);
    });
}

/// The operator hands out ranges for pods. A node that gets none has no network, and its agent never gets ready.
#[test]
fn there_is_no_range_for_the_pods_of_a_node() {
    cause_of("cause-no-pod-range", |cluster| {
        let error = "allocator full";
        cluster.page(CILIUM_NODE_LIST)["items"][3]["status"] =
            json!({ "ipam": { "operator-status": { "error": error } } });
        let labels = json!({ "k8s-app": "cilium" });
        let mut agent = pod("kube-system", "cilium-rk1-04", "rk1-04", &labels, None);
        agent["status"]["conditions"] = json!([condition("Ready", "False", "ContainersNotReady", "")]);
        cluster.page(SYSTEM_PODS)["items"][3] = agent;
        cluster.page(SESSIONS)[3]["established"] = json!("false");
        cluster.page(ROUTES).as_array_mut().expect("routes").remove(3);
    });
}

/// A node without a `CiliumNode` is not one of those that the operator configures.
#[test]
fn an_agent_has_not_registered() {
    cause_of("cause-agent-not-registered", |cluster| {
        cluster.page(CILIUM_NODE_LIST)["items"].as_array_mut().expect("a list").remove(1);
        cluster.page(PEER_LIST)["items"].as_array_mut().expect("a list").remove(1);
        cluster.page(SESSIONS)[1]["established"] = json!("false");
        cluster.page(ROUTES).as_array_mut().expect("routes").remove(1);
    });
}

/// What the agent wrote last still says "established".
#[test]
fn an_agent_has_died() {
    cause_of("cause-agent", |cluster| {
        let labels = json!({ "k8s-app": "cilium" });
        let why = waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container");
        let mut agent = pod("kube-system", "cilium-x7k2p", "rk1-01", &labels, Some(why));
        agent["status"]["containerStatuses"][0]["lastState"]["terminated"] =
            json!({ "exitCode": 1, "reason": "Error" });
        cluster.page(SYSTEM_PODS)["items"][0] = agent;
        cluster.page(SESSIONS)[0]["established"] = json!("false");
        cluster.page(ROUTES).as_array_mut().expect("routes").remove(0);
    });
}

/// Without its agent a node has no network for pods.
fn without_network(cluster: &mut TestCluster, number: usize) {
    let message = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady \
                   message:Network plugin returns error: cni plugin not initialized";
    cluster.page(NODE_LIST)["items"][number]["status"]["conditions"] =
        json!([condition("Ready", "False", "KubeletNotReady", message)]);
    cluster.page(SESSIONS)[number]["established"] = json!("false");
}

/// The chart is installed, and its `DaemonSet` has no pods.
#[test]
fn the_agent_runs_on_no_node() {
    cause_of("cause-no-agent", |cluster| {
        let operator = cluster.page(SYSTEM_PODS)["items"][4].clone();
        cluster.page(SYSTEM_PODS)["items"] = json!([operator]);
        cluster.page(CILIUM_NODE_LIST)["items"] = json!([]);
        cluster.page(PEER_LIST)["items"] = json!([]);
        for number in 0..4 {
            without_network(cluster, number);
        }
        *cluster.page(ROUTES) = json!([]);
    });
}

#[test]
fn the_image_of_an_agent_cannot_be_pulled() {
    cause_of("cause-agent-image", |cluster| {
        let labels = json!({ "k8s-app": "cilium" });
        let message = "Back-off pulling image \"quay.io/cilium/cilium:v1.20.2\": dial tcp: lookup quay.io: no such host";
        let agent =
            pod("kube-system", "cilium-x7k2p", "rk1-04", &labels, Some(waiting("ImagePullBackOff", message)));
        cluster.page(SYSTEM_PODS)["items"][3] = agent;
        without_network(cluster, 3);
        cluster.page(ROUTES).as_array_mut().expect("routes").remove(3);
    });
}

#[test]
fn no_node_takes_the_operator() {
    cause_of("cause-unschedulable", |cluster| {
        let labels = json!({ "io.cilium/app": "operator" });
        let mut operator = pod("kube-system", "cilium-operator-5d", "rk1-01", &labels, None);
        let message = "0/4 nodes are available: 4 node(s) had untolerated taint(s).";
        operator["spec"] = json!({});
        operator["status"] = json!({ "phase": "Pending",
            "conditions": [condition("PodScheduled", "False", "Unschedulable", message)] });
        cluster.page(SYSTEM_PODS)["items"][4] = operator;
        cluster.page(CLASS)["status"] = json!({});
        cluster.page(SHARED)["status"] = json!({});
    });
}

#[test]
fn the_operator_crashes_again_and_again() {
    cause_of("cause-operator", |cluster| {
        let why = waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container");
        let labels = json!({ "io.cilium/app": "operator" });
        let mut operator = pod("kube-system", "cilium-operator-5d", "rk1-01", &labels, Some(why));
        operator["status"]["containerStatuses"][0]["lastState"]["terminated"] = json!({ "exitCode": 1, "message": "required kinds are missing: gateways.gateway.networking.k8s.io" });
        cluster.page(SYSTEM_PODS)["items"][4] = operator;
        cluster.page(CLASS)["status"] = json!({});
        cluster.page(SHARED)["status"] = json!({});
    });
}

#[test]
fn an_image_cannot_be_pulled() {
    cause_of("cause-image-pull", |cluster| {
        without_certificate(cluster);
        let why =
            waiting("ImagePullBackOff", "Back-off pulling image: dial tcp: lookup quay.io: no such host");
        let labels = json!({ "app": "cert-manager" });
        cluster.page(CERT_MANAGER_PODS)["items"][0] =
            pod("cert-manager", "cert-manager-7f", "rk1-02", &labels, Some(why));
        cluster.page(ISSUER)["status"] = json!({});
    });
}

#[test]
fn a_chart_cannot_be_installed() {
    cause_of("cause-chart", |cluster| {
        cluster.page(JOB_LIST)["items"][0]["status"] = json!({ "failed": 3 });
        cluster.page(CHART_LIST)["items"][0]["status"]["conditions"] =
            json!([condition("Failed", "True", "", "")]);
        let labels = json!({ "batch.kubernetes.io/job-name": "helm-install-cilium" });
        let job = pod("kube-system", "helm-install-cilium-abcde", "rk1-01", &labels, None);
        cluster.page(SYSTEM_PODS)["items"] = json!([job]);
        let log =
            "/api/v1/namespaces/kube-system/pods/helm-install-cilium-abcde/log?tailLines=20&limitBytes=16384";
        let said = "+ helm_v3 install cilium\nError: INSTALLATION FAILED: chart \"cilium\" matching 1.20.0 not found\n";
        pages(cluster).1.insert(log.to_owned(), json!(said));
        for path in [CLASS, SHARED, GATEWAY_SERVICE] {
            pages(cluster).1.remove(path);
        }
        pages(cluster).2.retain(|kinds| *kinds != "/apis/cilium.io/");
        for path in [CILIUM_NODE_LIST, PEER_LIST, CLUSTER_CONFIG_LIST, PEER_CONFIG_LIST, ADVERTISEMENT_LIST] {
            pages(cluster).1.remove(path);
        }
        for number in 0..4 {
            let message = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady \
                           message:Network plugin returns error: cni plugin not initialized";
            cluster.page(NODE_LIST)["items"][number]["status"]["conditions"] =
                json!([condition("Ready", "False", "KubeletNotReady", message)]);
            cluster.page(SESSIONS)[number]["established"] = json!("false");
        }
        *cluster.page(ROUTES) = json!([]);
        cluster.gateway.service = None;
        let message = "Applying manifest at \"/var/lib/rancher/k3s/server/manifests/30-bgp.yaml\" failed: no matches \
                       for kind \"CiliumBGPClusterConfig\" in version \"cilium.io/v2\"";
        add(cluster, ADDON_EVENTS, event("30-bgp", "2026-11-20T08:00:00Z", "Warning", message));
    });
}

/// A real API server does not answer in JSON where it does not know the kind.
#[test]
fn a_kind_is_not_installed() {
    cause_of("cause-no-gateway-api", |cluster| {
        pages(cluster).2.retain(|kinds| !kinds.starts_with("/apis/gateway."));
        for path in [CLASS, SHARED, GATEWAY_SERVICE, CERTIFICATE] {
            pages(cluster).1.remove(path);
        }
        nothing_is_announced(cluster);
        cluster.gateway.service = None;
    });
    cause_of("cause-no-cert-manager", |cluster| {
        pages(cluster).2.retain(|kinds| !kinds.contains("cert-manager"));
        for path in [ISSUER, CERTIFICATE, REQUEST_LIST, ORDER_LIST, CHALLENGE_LIST] {
            pages(cluster).1.remove(path);
        }
        cluster.page(CERT_MANAGER_PODS)["items"] = json!([]);
        cluster.page(CHART_LIST)["items"].as_array_mut().expect("charts").pop();
        cluster.gateway.identity =
            Some(crate::certificates::Authority::new("another").sign("hubble.virtualthoughts.co.uk"));
    });
}

/// The chart is installed without its definitions, as Helm does where somebody set `crds.enabled` to false.
#[test]
fn a_chart_has_left_its_kinds_out() {
    cause_of("cause-no-cert-manager-kinds", |cluster| {
        pages(cluster).2.retain(|kinds| !kinds.contains("cert-manager"));
        for path in [ISSUER, CERTIFICATE, REQUEST_LIST, ORDER_LIST, CHALLENGE_LIST] {
            pages(cluster).1.remove(path);
        }
        cluster.gateway.service = None;
    });
}

/// Nothing is installed: neither Cilium, nor the Gateway API, nor cert-manager, and k3s has no chart for them.
#[test]
fn nothing_is_installed_in_kubernetes() {
    cause_of("nothing-installed", |cluster| {
        let (_, pages, kinds) = pages(cluster);
        kinds.retain(|kinds| ["/api/v1/", "/apis/batch/"].contains(kinds));
        pages.retain(|path, _| path.starts_with("/api/v1/") || path.starts_with("/apis/batch/"));
        pages.remove(GATEWAY_SERVICE);
        cluster.page(SYSTEM_PODS)["items"] = json!([]);
        cluster.page(CERT_MANAGER_PODS)["items"] = json!([]);
        cluster.gateway.service = None;
    });
}

#[test]
fn a_manifest_cannot_be_applied() {
    cause_of("cause-manifest", |cluster| {
        let message = "Applying manifest at \"/var/lib/rancher/k3s/server/manifests/70-mine.yaml\" failed: \
                       admission webhook denied the request";
        add(cluster, ADDON_EVENTS, event("70-mine", "2026-11-20T09:00:00Z", "Warning", message));
        // It failed before, and succeeded since.
        add(cluster, ADDON_EVENTS, event("50-gateway", "2026-11-20T08:00:00Z", "Warning", "failed"));
        add(cluster, ADDON_EVENTS, event("50-gateway", "2026-11-20T09:00:00Z", "Normal", "applied"));
    });
}

/// In turn: its memory is full, it has no process numbers left, and its container runtime is down.
#[test]
fn nodes_lack_something() {
    cause_of("cause-pressure", |cluster| {
        let pressure = |kind: &str| {
            json!([condition("Ready", "True", "KubeletReady", ""), condition(kind, "True", "Pressure", "")])
        };
        cluster.page(NODE_LIST)["items"][0]["status"]["conditions"] = pressure("MemoryPressure");
        cluster.page(NODE_LIST)["items"][1]["status"]["conditions"] = pressure("PIDPressure");
        let down = condition("Ready", "False", "KubeletNotReady", "container runtime is down");
        cluster.page(NODE_LIST)["items"][2]["status"]["conditions"] = json!([down]);
    });
}

/// In turn: its network is not ready, its disk is full, its clock is wrong, and its kubelet has stopped.
#[test]
fn nodes_are_not_ready_for_different_reasons() {
    cause_of("cause-nodes", |cluster| {
        let not_ready =
            |status: &str, reason: &str, message: &str| json!([condition("Ready", status, reason, message)]);
        let network = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady";
        cluster.page(NODE_LIST)["items"][0]["status"]["conditions"] =
            not_ready("False", "KubeletNotReady", network);
        cluster.page(NODE_LIST)["items"][1]["status"]["conditions"] = json!([
            condition("Ready", "True", "KubeletReady", ""),
            condition("DiskPressure", "True", "KubeletHasDiskPressure", "kubelet has disk pressure"),
        ]);
        cluster.module(2, |module| module.clock_ahead = -7_300);
        let stopped = "Kubelet stopped posting node status.";
        for number in [2, 3] {
            cluster.page(NODE_LIST)["items"][number]["status"]["conditions"] =
                not_ready("Unknown", "NodeStatusUnknown", stopped);
        }
    });
}

#[test]
fn certificates_of_k3s_expire() {
    cause_of("cause-k3s-certificates", |cluster| {
        let message = |hours: i64| {
            format!(
                "Node certificates require attention - restart k3s on this node to trigger automatic rotation: \
                 client-admin.crt: certificate CN=system:admin will expire within 120 days at {}",
                hence(hours)
            )
        };
        for (node, days) in [("rk1-01", 12), ("rk1-02", 80), ("rk1-03", -3)] {
            let event = event(node, "2026-11-20T09:00:00Z", "Warning", &message(days * 24 + 12));
            add(cluster, EXPIRY_EVENTS, event);
        }
    });
}

#[test]
fn etcd_is_unhealthy() {
    cause_of("cause-etcd-member", |cluster| {
        cluster.module(1, |module| module.etcd = [String::new(), String::new()]);
    });
    cause_of("cause-etcd-learner", |cluster| {
        let ready = condition("Ready", "True", "KubeletReady", "");
        let voter = condition("EtcdIsVoter", "False", "MemberIsLearner", "Node has not been promoted");
        cluster.page(NODE_LIST)["items"][2]["status"]["conditions"] = json!([ready, voter]);
    });
    cause_of("cause-etcd-slow", |cluster| {
        cluster.module(2, |module| {
            module.etcd = [(10.0, 2_000), (14.2, 2_010)].map(|(sum, count)| etcd_page(1, sum, count));
        });
    });
    cause_of("cause-etcd-no-leader", |cluster| {
        cluster.api.service = None;
        for server in 0..2 {
            cluster.module(server, |module| module.etcd = [etcd_page(0, 10.0, 1), etcd_page(0, 10.0, 1)]);
        }
        cluster.hosts.remove("root@172.16.10.223");
    });
}

/// In turn: a generation that waits, a kernel that waits for a reboot beside a menu with collected systems, and a kubelet of another release.
#[test]
fn something_else_runs_than_was_deployed() {
    cause_of("cause-system", |cluster| {
        cluster.module(0, |module| module.links[1].1 = "/nix/store/bbbb-nixos-system-rk1-26.05");
        cluster.module(1, |module| {
            module.links[3].1 = "/nix/store/llll-linux-6.12.9/Image";
            module.lost_entries = vec!["/nix/store/gone-1/init", "/nix/store/gone-2/init"];
        });
        cluster.page(NODE_LIST)["items"][2]["status"]["nodeInfo"]["kubeletVersion"] = json!("v1.35.9+k3s1");
    });
}
