//! An API server of the tests, on loopback and without TLS: nodes, sessions, pods, evictions.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::cluster::NODES;

#[derive(Clone)]
pub(crate) struct Kubernetes {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

pub(crate) struct State {
    /// A file `bgp-down` in a node's folder takes its session.
    folder: PathBuf,
    pub(crate) cordoned: Vec<String>,
    /// By `namespace/name`.
    pub(crate) pods: BTreeMap<String, Value>,
    /// Evictions of these pods are refused so often.
    pub(crate) refusals: BTreeMap<String, usize>,
    /// The version of the kubelets, and the image of Cilium's agents.
    pub(crate) running: (&'static str, &'static str),
    /// What was asked for that changes something.
    pub(crate) told: Vec<String>,
}

impl Kubernetes {
    /// Serves until the test's process ends.
    pub(crate) fn serve(folder: &Path) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = State {
            folder: folder.to_owned(),
            cordoned: Vec::new(),
            pods: BTreeMap::new(),
            refusals: BTreeMap::new(),
            running: ("v1.36.4+k3s1", "quay.io/cilium/cilium:v1.20.0@sha256:00ff"),
            told: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let kubernetes = Self { address, state: state.clone() };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, state) = (stream.unwrap(), state.clone());
                thread::spawn(move || answer(stream, &state));
            }
        });
        kubernetes
    }

    pub(crate) fn kubeconfig(&self) -> String {
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "default", "cluster": { "server": format!("http://{}", self.address) } }],
            "users": [{ "name": "default", "user": {} }],
            "contexts": [{ "name": "default", "context": { "cluster": "default", "user": "default" } }],
            "current-context": "default",
        })
        .to_string()
    }

    pub(crate) fn with<T>(&self, task: impl FnOnce(&mut State) -> T) -> T {
        task(&mut self.state.lock().unwrap())
    }

    pub(crate) fn told(&self) -> Vec<String> {
        self.with(|state| std::mem::take(&mut state.told))
    }
}

/// One request a connection.
fn answer(stream: TcpStream, state: &Mutex<State>) {
    let mut stream = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        match stream.read_line(&mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if line.trim().is_empty() => break,
            Ok(_) if head.is_empty() => head = line,
            Ok(_) => {
                let (name, value) = line.split_once(':').unwrap_or_default();
                if name.eq_ignore_ascii_case("content-length") {
                    length = value.trim().parse().unwrap();
                }
            }
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let (status, answer) = state.lock().unwrap().answer(method, path, query, &body);
    let answer = answer.to_string();
    let _ = write!(
        stream.get_mut(),
        "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
        answer.len()
    );
}

/// Cilium's agent on each node, ready.
fn agents() -> Value {
    let agents = NODES.map(|(name, _)| {
        json!({
            "metadata": { "name": format!("cilium-{name}"), "labels": { "k8s-app": "cilium" } },
            "spec": { "nodeName": name },
            "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] },
        })
    });
    json!({ "kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": agents })
}

/// The nodes as Cilium's agents have registered them.
fn cilium_nodes() -> Value {
    let nodes = NODES.map(|(name, _)| json!({ "metadata": { "name": name } }));
    json!({ "kind": "CiliumNodeList", "apiVersion": "cilium.io/v2", "metadata": {}, "items": nodes })
}

fn refusal(code: u16, reason: &str, message: &str) -> (u16, Value) {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message,
    });
    (code, status)
}

impl State {
    fn answer(&mut self, method: &str, path: &str, query: &str, body: &Value) -> (u16, Value) {
        let parts: Vec<_> = path.trim_matches('/').split('/').collect();
        match (method, parts.as_slice()) {
            ("GET", ["api", "v1", "nodes"]) => {
                let nodes: Vec<_> = NODES.iter().map(|(name, _)| self.node(name)).collect();
                (200, json!({ "kind": "NodeList", "apiVersion": "v1", "metadata": {}, "items": nodes }))
            }
            ("GET", ["api", "v1", "nodes", name]) => (200, self.node(name)),
            ("PATCH", ["api", "v1", "nodes", name]) => {
                let cordon = body["spec"]["unschedulable"] == true;
                self.told.push(format!("{} {name}", if cordon { "cordon" } else { "uncordon" }));
                self.cordoned.retain(|cordoned| cordoned != name);
                if cordon {
                    self.cordoned.push((*name).to_owned());
                }
                (200, self.node(name))
            }
            ("GET", ["apis", "apps", "v1", "namespaces", "kube-system", "daemonsets", "cilium"]) => {
                (200, self.cilium())
            }
            ("GET", ["apis", "cilium.io", "v2", "ciliumbgpnodeconfigs"]) => (200, self.sessions()),
            ("GET", ["api", "v1", "namespaces", "kube-system", "pods"]) => (200, agents()),
            ("GET", ["apis", "cilium.io", "v2", "ciliumnodes"]) => (200, cilium_nodes()),
            // Nothing that these lists could say is wrong.
            ("GET", ["api", "v1", "namespaces", _, "pods" | "events"] | ["apis", "cilium.io", "v2", _]) => {
                (200, json!({ "kind": "List", "apiVersion": "v1", "metadata": {}, "items": [] }))
            }
            ("GET", ["api", "v1", "pods"]) => {
                let node = query.split("spec.nodeName%3D").nth(1).unwrap_or_default().split('&').next();
                let pods = self.pods.values().filter(|pod| pod["spec"]["nodeName"].as_str() == node);
                let pods: Vec<_> = pods.collect();
                (200, json!({ "kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": pods }))
            }
            ("POST", ["api", "v1", "namespaces", namespace, "pods", name, "eviction"]) => {
                self.evict(&format!("{namespace}/{name}"))
            }
            _ => refusal(404, "NotFound", "the server could not find the requested resource"),
        }
    }

    fn node(&self, name: &str) -> Value {
        json!({
            "kind": "Node",
            "apiVersion": "v1",
            "metadata": { "name": name },
            "spec": { "unschedulable": self.cordoned.iter().any(|cordoned| cordoned == name) },
            "status": {
                "conditions": [{ "type": "Ready", "status": "True", "reason": "KubeletReady" }],
                "nodeInfo": { "kubeletVersion": self.running.0 },
            },
        })
    }

    /// Cilium's agents, as the chart describes them.
    fn cilium(&self) -> Value {
        let pod = json!({ "containers": [{ "name": "cilium-agent", "image": self.running.1 }] });
        json!({
            "kind": "DaemonSet",
            "apiVersion": "apps/v1",
            "metadata": { "name": "cilium", "namespace": "kube-system" },
            "spec": { "selector": {}, "template": { "spec": pod } },
        })
    }

    fn sessions(&self) -> Value {
        let sessions = NODES.map(|(name, address)| {
            let is_down = self.folder.join("nodes").join(address).join("bgp-down").exists();
            let state = if is_down { "active" } else { "established" };
            let peer = json!({
                "name": "mikrotik", "peerAddress": "172.16.10.1", "peerASN": 64512, "peeringState": state,
                "establishedTime": "2026-11-20T08:00:00Z",
                "timers": { "appliedHoldTimeSeconds": 9, "appliedKeepaliveSeconds": 3 },
                "routeCount": [{ "afi": "ipv4", "safi": "unicast", "received": 0, "advertised": 1 }],
            });
            let instance = json!({ "name": "turing-pi", "localASN": 64512, "peers": [peer] });
            json!({ "metadata": { "name": name }, "status": { "bgpInstances": [instance] } })
        });
        json!({
            "kind": "CiliumBGPNodeConfigList", "apiVersion": "cilium.io/v2", "metadata": {}, "items": sessions,
        })
    }

    fn evict(&mut self, pod: &str) -> (u16, Value) {
        if let Some(refusals) = self.refusals.get_mut(pod).filter(|refusals| **refusals > 0) {
            *refusals -= 1;
            let message = "Cannot evict pod as it would violate the pod's disruption budget.";
            return refusal(429, "TooManyRequests", message);
        }
        self.told.push(format!("evict {pod}"));
        match self.pods.remove(pod) {
            Some(_) => {
                (201, json!({ "kind": "Status", "apiVersion": "v1", "status": "Success", "metadata": {} }))
            }
            None => refusal(404, "NotFound", "pods not found"),
        }
    }
}
