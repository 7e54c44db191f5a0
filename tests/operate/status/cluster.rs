//! The cluster of the tests, well in every part, for tests to spoil.

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
const HUBBLE: &str = "hubble.example.org";
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
            text,
            hosts: modules.into(),
            api: Server {
                address: format!("{}:6443", NODES[0].1),
                identity: Some(api),
                service: Some(Service::Pages {
                    authorization: Some(format!("Bearer {TOKEN}")),
                    pages: objects(),
                }),
            },
            router: Server {
                address: format!("{ROUTER}:443"),
                identity: Some(authority.sign(ROUTER)),
                service: Some(Service::Pages { authorization: Some(basic("rk1", PASSWORD)), pages: rest() }),
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
        router_documents(&cluster, &cluster.bgp.routers[0]).expect("documents").remove(0).body
    }

    /// What `rk1 status` prints and how it ends.
    pub(crate) fn status(self, arguments: &[&str]) -> String {
        let (mut command, _folder) = self.start(arguments);
        let output = command.output().expect("rk1 runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let (screen, words) = (text(output.stdout), text(output.stderr));
        let code = output.status.code().expect("an exit code");
        format!("{screen}--- standard error\n{words}--- exit code {code}\n")
    }

    /// Starts the servers, and says how `rk1 status` is to be run.
    pub(crate) fn start(self, arguments: &[&str]) -> (Command, TempDir) {
        let folder = self.folder.path();
        fs::write(folder.join("cluster.toml"), &self.text).expect("cluster.toml");
        fs::create_dir(folder.join("secrets")).expect("secrets");
        fs::write(folder.join("secrets/router"), format!("{PASSWORD}\n")).expect("secret");
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

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({ "type": kind, "status": status, "reason": reason, "message": message })
}

pub(crate) const NODE_LIST: &str = "/api/v1/nodes?";
pub(crate) const PEER_LIST: &str = "/apis/cilium.io/v2/ciliumbgpnodeconfigs?";
pub(crate) const CLASS: &str = "/apis/gateway.networking.k8s.io/v1/gatewayclasses/cilium";
pub(crate) const SHARED: &str = "/apis/gateway.networking.k8s.io/v1/namespaces/gateway/gateways/shared";
pub(crate) const CERTIFICATE: &str =
    "/apis/cert-manager.io/v1/namespaces/gateway/certificates/shared-gateway-certificate";

/// Kubernetes' objects, by the paths at which it serves them. Fields: those of its own kinds and of the definitions of
/// Cilium, the Gateway API and cert-manager.
fn objects() -> BTreeMap<String, Value> {
    let nodes = NODES.map(|(name, _)| {
        let ready = condition("Ready", "True", "KubeletReady", "kubelet is posting ready status");
        json!({ "metadata": { "name": name }, "status": { "conditions": [ready] } })
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
    let list = |kind: &str, api: &str, items: &[Value]| json!({ "kind": format!("{kind}List"), "apiVersion": api, "metadata": {}, "items": items });
    let object = |kind: &str, api: &str, name: &str, status: Value| json!({ "kind": kind, "apiVersion": api, "metadata": { "name": name }, "status": status });
    let gateway_api = "gateway.networking.k8s.io/v1";
    let accepted = condition("Accepted", "True", "Accepted", "Valid GatewayClass");
    let programmed = condition("Programmed", "True", "Programmed", "Gateway successfully reconciled");
    let issued = condition("Ready", "True", "Ready", "Certificate is up to date and has not expired");
    BTreeMap::from([
        (NODE_LIST.to_owned(), list("Node", "v1", &nodes)),
        (PEER_LIST.to_owned(), list("CiliumBGPNodeConfig", "cilium.io/v2", &peers)),
        (
            CLASS.to_owned(),
            object("GatewayClass", gateway_api, "cilium", json!({ "conditions": [accepted] })),
        ),
        (
            SHARED.to_owned(),
            object(
                "Gateway",
                gateway_api,
                "shared",
                json!({ "conditions": [programmed], "addresses": [{ "type": "IPAddress", "value": GATEWAY }] }),
            ),
        ),
        (
            CERTIFICATE.to_owned(),
            object(
                "Certificate",
                "cert-manager.io/v1",
                "shared-gateway-certificate",
                json!({
                    "conditions": [issued],
                    "notAfter": hence(61 * 24 + 12),
                    "renewalTime": hence(31 * 24 + 12),
                }),
            ),
        ),
    ])
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
