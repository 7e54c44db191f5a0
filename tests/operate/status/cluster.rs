//! The healthy cluster of the tests, which each test breaks in its own way.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use rk1::config::cluster::Cluster;
use rk1::config::diagnostics::Problems;
use rk1::config::source::Source;
use rk1::render::routers::router_documents;
use serde_json::{Value, json};
use snapbox::{Data, assert_data_eq};
use tempfile::TempDir;

use crate::certificates::{Authority, Identity};
use crate::host::{self, Host, Module};
use crate::network::alone;
use crate::server::{Service, serve};

/// How its router is asked.
pub(crate) const ROUTER_STATUS: &str =
    "[bgp.router.status]\nuser = \"rk1\"\npassword = \"router-password\"\n";
pub(crate) const NODES: [(&str, &str); 4] = [
    ("rk1-01", "172.16.10.221"),
    ("rk1-02", "172.16.10.222"),
    ("rk1-03", "172.16.10.223"),
    ("rk1-04", "172.16.10.224"),
];
const ROUTER: &str = "172.16.10.1";
const GATEWAY: &str = "10.200.200.1";
const HUBBLE: &str = "hubble.virtualthoughts.co.uk";
const TOKEN: &str = "never-printed-token";
const PASSWORD: &str = "never-printed-password";

/// A server, or nobody at its address.
pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) identity: Option<Identity>,
    pub(crate) service: Option<Service>,
}

pub(crate) struct TestCluster {
    pub(crate) text: String,
    /// The one that the machine trusts.
    pub(crate) authority: Authority,
    /// The one that the kubeconfig trusts.
    kubernetes: Authority,
    /// By what ssh reaches them.
    pub(crate) hosts: BTreeMap<String, Host>,
    pub(crate) api: Server,
    pub(crate) router: Server,
    pub(crate) gateway: Server,
    /// `None`: there is no file, and a server's is taken.
    pub(crate) kubeconfig: Option<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) folder: TempDir,
    /// Permissions of the file with the router's password.
    pub(crate) password_mode: u32,
}

/// Runs a test on a cluster of its own.
pub(crate) fn with_cluster(test: &str, task: impl FnOnce(TestCluster) + Send) {
    let nodes = NODES.map(|(_, address)| address);
    let addresses: Vec<_> = nodes.into_iter().chain([ROUTER, GATEWAY]).collect();
    alone(test, &addresses, || task(TestCluster::well()));
}

/// Runs `rk1 status` on a cluster that `spoil` has spoilt, and compares what it prints with the screen of this name.
pub(crate) fn screen_of(name: &str, spoil: impl FnOnce(&mut TestCluster) + Send) {
    with_cluster(name, |mut cluster| {
        spoil(&mut cluster);
        compare(name, &cluster.status(&[]));
    });
}

pub(crate) fn compare(name: &str, printed: &str) {
    assert!(!printed.contains("never-printed"), "{printed}");
    let path = format!("{}/tests/operate/status/screens/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    assert_data_eq!(printed, Data::read_from(path.as_ref(), None).raw());
}

impl TestCluster {
    pub(crate) fn well() -> Self {
        let authority = Authority::new("the machine's authority");
        let kubernetes = Authority::new("k3s-server-ca");
        let api = kubernetes.sign(NODES[0].1);
        let text = include_str!("../../config/check/base.toml")
            .replace("version = \"7.18\"\n", &format!("version = \"7.22\"\n\n{ROUTER_STATUS}"))
            .replace("[secrets]\n", "[secrets]\nrouter-password = \"secrets/router\"\n");
        let modules = NODES.map(|(_, address)| (format!("root@{address}"), Module::well().host()));
        let folder = tempfile::tempdir().expect("temporary folder");
        Self {
            password_mode: 0o600,
            text,
            hosts: modules.into(),
            api: Server {
                address: format!("{}:6443", NODES[0].1),
                identity: Some(api),
                service: Some(Service::Pages {
                    authorization: Some(format!("Bearer {TOKEN}")),
                    pages: objects(),
                    kinds: KINDS.to_vec(),
                }),
            },
            router: Server {
                address: format!("{ROUTER}:443"),
                identity: Some(authority.sign(ROUTER)),
                service: Some(Service::Pages {
                    authorization: Some(basic("rk1", PASSWORD)),
                    pages: rest(),
                    kinds: Vec::new(),
                }),
            },
            gateway: Server {
                address: format!("{GATEWAY}:443"),
                identity: Some(authority.sign(HUBBLE)),
                service: Some(Service::Status(200)),
            },
            kubeconfig: Some(kubeconfig(&kubernetes.pem, &format!("https://{}:6443", NODES[0].1))),
            // A proxy that nobody may ask.
            environment: vec![("HTTPS_PROXY", "http://127.0.0.1:9".to_owned())],
            authority,
            kubernetes,
            folder,
        }
    }

    /// An object of Kubernetes, or a list of `RouterOS`.
    pub(crate) fn page(&mut self, path: &str) -> &mut Value {
        let of = |server: &mut Server| match &mut server.service {
            Some(Service::Pages { pages, .. }) => pages.contains_key(path),
            _ => false,
        };
        let server = if of(&mut self.api) { &mut self.api } else { &mut self.router };
        match &mut server.service {
            Some(Service::Pages { pages, .. }) => pages.get_mut(path).expect("a page"),
            _ => panic!("{path} is not served"),
        }
    }

    pub(crate) fn module(&mut self, number: usize, spoil: impl FnOnce(&mut Module)) {
        let mut module = Module::well();
        spoil(&mut module);
        self.host(number, module.host());
    }

    pub(crate) fn host(&mut self, number: usize, host: Host) {
        self.hosts.insert(format!("root@{}", NODES[number].1), host);
    }

    pub(crate) fn edit(&mut self, before: &str, after: &str) {
        assert!(self.text.contains(before), "{before}");
        self.text = self.text.replace(before, after);
    }

    /// Another router, asked as is usual for it.
    pub(crate) fn platform(&mut self, platform: &str, version: &str) {
        self.edit("platform = \"routeros\"\n", &format!("platform = \"{platform}\"\n"));
        self.edit("version = \"7.22\"\n", &format!("version = \"{version}\"\n"));
        self.edit(ROUTER_STATUS, "");
        self.edit("router-password = \"secrets/router\"\n", "");
    }

    /// Kubernetes is at another address, and the kubeconfig says so.
    pub(crate) fn move_kubernetes(&mut self, address: &str) {
        self.api.address = format!("{address}:6443");
        self.api.identity = Some(self.kubernetes.sign(address));
        self.kubeconfig = Some(kubeconfig(&self.kubernetes.pem, &format!("https://{address}:6443")));
    }

    /// What is rendered for its router.
    pub(crate) fn rendered_router(&self) -> String {
        let source = Source { name: "cluster.toml".to_owned(), text: self.text.clone() };
        let cluster = Cluster::parse(&source, &mut Problems::default()).expect("a cluster");
        router_documents(&cluster, &cluster.routers()[0]).expect("documents").remove(0).body
    }

    /// What `rk1 status` prints and how it ends.
    pub(crate) fn status(self, arguments: &[&str]) -> String {
        let (mut command, _folder) = self.start(arguments);
        printed(&mut command)
    }

    /// Starts the servers, and says how `rk1 status` is to be run.
    pub(crate) fn start(self, arguments: &[&str]) -> (Command, TempDir) {
        let folder = self.folder.path();
        fs::write(folder.join("cluster.toml"), &self.text).expect("cluster.toml");
        fs::create_dir(folder.join("secrets")).expect("secrets");
        fs::write(folder.join("secrets/router"), format!("{PASSWORD}\n")).expect("secret");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(self.password_mode);
        fs::set_permissions(folder.join("secrets/router"), mode).expect("mode");
        fs::write(folder.join("trusted.pem"), &self.authority.pem).expect("authority");
        host::write(folder, &self.hosts);
        for server in [self.api, self.router, self.gateway] {
            if let Some(service) = server.service {
                serve(&server.address, server.identity, service);
            }
        }
        let path = std::env::var("PATH").expect("PATH");
        let mut command = Command::new(env!("CARGO_BIN_EXE_rk1"));
        command
            .arg("status")
            .args(arguments)
            .current_dir(folder)
            .env("PATH", format!("{}:{path}", folder.join("bin").display()))
            .env("NO_COLOR", "1")
            .env("SSL_CERT_FILE", folder.join("trusted.pem"))
            .env_remove("SSL_CERT_DIR")
            .env_remove("KUBECONFIG")
            .envs(self.environment)
            .stdin(Stdio::null());
        if let Some(kubeconfig) = self.kubeconfig {
            fs::write(folder.join("kubeconfig"), kubeconfig).expect("kubeconfig");
            command.env("KUBECONFIG", folder.join("kubeconfig"));
        }
        (command, self.folder)
    }
}

/// What a command prints and how it ends.
pub(crate) fn printed(command: &mut Command) -> String {
    let output = command.output().expect("rk1 runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let (screen, words) = (text(output.stdout), text(output.stderr));
    let code = output.status.code().expect("an exit code");
    format!("{screen}--- standard error\n{words}--- exit code {code}\n")
}

pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", data_encoding::BASE64.encode(format!("{user}:{password}").as_bytes()))
}

pub(crate) fn kubeconfig(authority: &str, server: &str) -> String {
    let authority = data_encoding::BASE64.encode(authority.as_bytes());
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "default", "cluster": { "server": server, "certificate-authority-data": authority } }],
        "users": [{ "name": "default", "user": { "token": TOKEN } }],
        "contexts": [{ "name": "default", "context": { "cluster": "default", "user": "default" } }],
        "current-context": "default",
    });
    config.to_string()
}

/// The kubeconfig that k3s writes on a server: for its own loopback address, with a client's certificate.
pub(crate) fn kubeconfig_of_k3s(authority: &Authority) -> Value {
    let [certificate, key] = authority.sign("system:admin").kubeconfig_data();
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "clusters": [{ "name": "default", "cluster": {
            "server": "https://127.0.0.1:6443",
            "certificate-authority-data": data_encoding::BASE64.encode(authority.pem.as_bytes()),
        } }],
        "users": [{ "name": "default", "user": {
            "client-certificate-data": certificate,
            "client-key-data": key,
        } }],
        "contexts": [{ "name": "default", "context": { "cluster": "default", "user": "default" } }],
        "current-context": "default",
    })
}

/// A moment this long from now, as Kubernetes writes it.
pub(crate) fn hence(hours: i64) -> String {
    let seconds = Timestamp::now().as_second();
    let now = Timestamp::from_second(seconds).expect("a moment");
    now.checked_add(SignedDuration::from_hours(hours)).expect("a moment").to_string()
}

pub(crate) fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({ "type": kind, "status": status, "reason": reason, "message": message })
}

pub(crate) const NODE_LIST: &str = "/api/v1/nodes?limit=500";
pub(crate) const PEER_LIST: &str = "/apis/cilium.io/v2/ciliumbgpnodeconfigs?limit=500";
pub(crate) const CILIUM_NODE_LIST: &str = "/apis/cilium.io/v2/ciliumnodes?limit=500";
pub(crate) const CLUSTER_CONFIG_LIST: &str = "/apis/cilium.io/v2/ciliumbgpclusterconfigs?limit=500";
pub(crate) const PEER_CONFIG_LIST: &str = "/apis/cilium.io/v2/ciliumbgppeerconfigs?limit=500";
pub(crate) const ADVERTISEMENT_LIST: &str = "/apis/cilium.io/v2/ciliumbgpadvertisements?limit=500";
pub(crate) const SYSTEM_PODS: &str = "/api/v1/namespaces/kube-system/pods?limit=500";
pub(crate) const CERT_MANAGER_PODS: &str = "/api/v1/namespaces/cert-manager/pods?limit=500";
pub(crate) const CHART_LIST: &str = "/apis/helm.cattle.io/v1/namespaces/kube-system/helmcharts?limit=500";
pub(crate) const JOB_LIST: &str = "/apis/batch/v1/namespaces/kube-system/jobs?limit=500";
pub(crate) const ADDON_EVENTS: &str =
    "/api/v1/namespaces/kube-system/events?fieldSelector=involvedObject.kind%3DAddon&limit=500";
pub(crate) const EXPIRY_EVENTS: &str =
    "/api/v1/namespaces/default/events?fieldSelector=reason%3DCertificateExpirationWarning&limit=500";
pub(crate) const CLASS: &str = "/apis/gateway.networking.k8s.io/v1/gatewayclasses/cilium";
pub(crate) const SHARED: &str = "/apis/gateway.networking.k8s.io/v1/namespaces/gateway/gateways/shared";
pub(crate) const GATEWAY_SERVICE: &str = "/api/v1/namespaces/gateway/services/cilium-gateway-shared";
pub(crate) const ISSUER: &str = "/apis/cert-manager.io/v1/clusterissuers/letsencrypt-production";
pub(crate) const CERTIFICATE: &str =
    "/apis/cert-manager.io/v1/namespaces/gateway/certificates/shared-gateway-certificate";
pub(crate) const REQUEST_LIST: &str =
    "/apis/cert-manager.io/v1/namespaces/gateway/certificaterequests?limit=500";
pub(crate) const ORDER_LIST: &str = "/apis/acme.cert-manager.io/v1/namespaces/gateway/orders?limit=500";
pub(crate) const CHALLENGE_LIST: &str =
    "/apis/acme.cert-manager.io/v1/namespaces/gateway/challenges?limit=500";

/// The paths of the kinds that the cluster knows.
pub(crate) const KINDS: [&str; 7] = [
    "/api/v1/",
    "/apis/acme.cert-manager.io/",
    "/apis/batch/",
    "/apis/cert-manager.io/",
    "/apis/cilium.io/",
    "/apis/gateway.networking.k8s.io/",
    "/apis/helm.cattle.io/",
];

/// A pod that is ready, or says why not.
pub(crate) fn pod(namespace: &str, name: &str, node: &str, labels: &Value, waiting: Option<Value>) -> Value {
    let is_ready = if waiting.is_none() { "True" } else { "False" };
    let state = waiting.map_or_else(|| json!({ "running": {} }), |waiting| json!({ "waiting": waiting }));
    let image = format!("registry.example.org/{name}:v1");
    json!({
        "metadata": { "name": name, "namespace": namespace, "labels": labels, "creationTimestamp": "2026-11-20T08:00:00Z" },
        "spec": { "nodeName": node },
        "status": {
            "phase": "Running",
            "conditions": [condition("PodScheduled", "True", "", ""), condition("Ready", is_ready, "", "")],
            "containerStatuses": [{ "name": name, "image": image, "state": state }],
        },
    })
}

/// The objects of Kubernetes, by the paths at which it serves them. Fields: those of its own kinds and of the definitions
/// of Cilium, the Gateway API, cert-manager and k3s.
fn objects() -> BTreeMap<String, Value> {
    let nodes = NODES.map(|(name, _)| {
        let ready = condition("Ready", "True", "KubeletReady", "kubelet is posting ready status");
        json!({ "metadata": { "name": name }, "status": {
            "conditions": [ready], "nodeInfo": { "kubeletVersion": "v1.36.4+k3s1" },
        } })
    });
    let peers = NODES.map(|(name, _)| {
        let peer = json!({
            "name": "mikrotik",
            "peerAddress": ROUTER,
            "peerASN": 64512,
            "peeringState": "established",
            "establishedTime": "2026-11-20T08:00:00Z",
            "timers": { "appliedHoldTimeSeconds": 9, "appliedKeepaliveSeconds": 3 },
            "routeCount": [{ "afi": "ipv4", "safi": "unicast", "received": 0, "advertised": 1 }],
        });
        let instance = json!({ "name": "turing-pi", "localASN": 64512, "peers": [peer] });
        json!({ "metadata": { "name": name }, "status": { "bgpInstances": [instance] } })
    });
    let list =
        |items: &[Value]| json!({ "kind": "List", "apiVersion": "v1", "metadata": {}, "items": items });
    let object = |kind: &str, name: &str, status: Value| json!({ "kind": kind, "metadata": { "name": name }, "status": status });
    let agents = NODES.map(|(name, _)| {
        let labels = json!({ "k8s-app": "cilium" });
        pod("kube-system", &format!("cilium-{name}"), name, &labels, None)
    });
    let operator = json!({ "io.cilium/app": "operator" });
    let operator = pod("kube-system", "cilium-operator", "rk1-01", &operator, None);
    let cert_manager = pod("cert-manager", "cert-manager", "rk1-02", &json!({ "app": "cert-manager" }), None);
    let charts = ["cilium", "cert-manager"].map(|name| {
        json!({ "metadata": { "name": name }, "status": { "jobName": format!("helm-install-{name}") } })
    });
    let jobs = ["cilium", "cert-manager"].map(|name| {
        json!({ "metadata": { "name": format!("helm-install-{name}") }, "status": { "succeeded": 1 } })
    });
    let peer_config = json!({
        "metadata": { "name": "mikrotik" },
        "spec": { "families": [{ "afi": "ipv4", "safi": "unicast",
            "advertisements": { "matchLabels": { "advertise": "bgp" } } }] },
        "status": { "conditions": [condition("cilium.io/MissingAuthSecret", "False", "", "")] },
    });
    let advertisement = json!({
        "metadata": { "name": "load-balancer-addresses", "labels": { "advertise": "bgp" } },
    });
    let accepted = condition("Accepted", "True", "Accepted", "Valid GatewayClass");
    let programmed = condition("Programmed", "True", "Programmed", "Gateway successfully reconciled");
    let addressed = condition("cilium.io/IPAMRequestSatisfied", "True", "satisfied", "");
    let registered = condition("Ready", "True", "ACMEAccountRegistered", "The ACME account was registered");
    let issued = condition("Ready", "True", "Ready", "Certificate is up to date and has not expired");
    let gateway = json!({
        "conditions": [programmed], "addresses": [{ "type": "IPAddress", "value": GATEWAY }],
    });
    let mut certificate = object(
        "Certificate",
        "shared-gateway-certificate",
        json!({
            "conditions": [issued],
            "notAfter": hence(61 * 24 + 12),
            "renewalTime": hence(31 * 24 + 12),
        }),
    );
    certificate["spec"] =
        json!({ "issuerRef": { "kind": "ClusterIssuer", "name": "letsencrypt-production" } });
    let pages = [
        (NODE_LIST, list(&nodes)),
        (PEER_LIST, list(&peers)),
        (CILIUM_NODE_LIST, list(&NODES.map(|(name, _)| object("CiliumNode", name, json!({}))))),
        (CLUSTER_CONFIG_LIST, list(&[object("CiliumBGPClusterConfig", "turing-pi", json!({}))])),
        (PEER_CONFIG_LIST, list(&[peer_config])),
        (ADVERTISEMENT_LIST, list(&[advertisement])),
        (SYSTEM_PODS, list(&[&agents[..], &[operator]].concat())),
        (CERT_MANAGER_PODS, list(&[cert_manager])),
        (CHART_LIST, list(&charts)),
        (JOB_LIST, list(&jobs)),
        (ADDON_EVENTS, list(&[])),
        (EXPIRY_EVENTS, list(&[])),
        (CLASS, object("GatewayClass", "cilium", json!({ "conditions": [accepted] }))),
        (SHARED, object("Gateway", "shared", gateway)),
        (GATEWAY_SERVICE, object("Service", "cilium-gateway-shared", json!({ "conditions": [addressed] }))),
        (ISSUER, object("ClusterIssuer", "letsencrypt-production", json!({ "conditions": [registered] }))),
        (CERTIFICATE, certificate),
        (REQUEST_LIST, list(&[])),
        (ORDER_LIST, list(&[])),
        (CHALLENGE_LIST, list(&[])),
    ];
    pages.into_iter().map(|(path, page)| (path.to_owned(), page)).collect()
}

pub(crate) const SESSIONS: &str = "/rest/routing/bgp/session";
pub(crate) const ROUTES: &str = "/rest/ip/route?dst-address=10.200.200.1/32";

/// What `RouterOS` 7.22 serves: every value is a string.
fn rest() -> BTreeMap<String, Value> {
    let sessions = NODES.map(|(name, address)| {
        json!({
            ".id": "*2800001", "name": format!("{name}-1"), "instance": "rk1-turing-pi", "established": "true",
            "remote.address": address, "remote.as": "64512", "remote.id": address, "remote.hold-time": "9s",
            "local.address": ROUTER, "local.as": "64512", "local.role": "ibgp", "hold-time": "9s",
            "keepalive-time": "3s", "use-bfd": "false", "uptime": "2h3m4s", "prefix-count": "1",
        })
    });
    let routes = NODES.map(|(_, address)| {
        json!({
            ".id": "*8000001", "dst-address": format!("{GATEWAY}/32"), "gateway": address, "active": "true",
            "bgp": "true", "ecmp": "true", "dynamic": "true", "distance": "200", "routing-table": "main",
            "immediate-gw": format!("{address}%bridge"),
        })
    });
    BTreeMap::from([(SESSIONS.to_owned(), json!(sessions)), (ROUTES.to_owned(), json!(routes))])
}
