//! The control plane: etcd and kube-apiserver, the objects that the kubelets would make, and Cilium's controllers.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rcgen::KeyPair;
use rk1::config::cluster::Cluster;
use serde_json::{Value, json};

use crate::api::Api;
use crate::certificates::Authority;
use crate::namespace::Running;
use crate::refusals;
use crate::wait::until;

pub(crate) struct Kubernetes {
    pub(crate) api: Api,
    pub(crate) kubeconfig: String,
    controllers: PathBuf,
    folder: PathBuf,
    /// The node whose namespace holds etcd, the API server and the operator.
    server: String,
    helm_controller: Option<Running>,
    operator: Option<Running>,
    agents: BTreeMap<String, Running>,
    authority: String,
    address: String,
    _etcd: Running,
    api_server: Running,
}

/// The port of k3s.
const PORT: u16 = 6443;
/// The longest that the API server takes to start on a busy machine.
const START: Duration = Duration::from_mins(1);
/// The version that the kubelets report.
const KUBELET: &str = "v1.36.4+k3s1";
const TOKEN: &str = "administrator";

impl Kubernetes {
    /// Starts etcd and the API server on the first node.
    pub(crate) fn start(controllers: &Path, folder: &Path, cluster: &Cluster) -> Self {
        let node = cluster.nodes.first().expect("a node");
        let (server, ip) = (node.name.to_string(), node.address.v4().addr().to_string());
        let path = |name: &str| folder.join(name).display().to_string();
        let etcd = Running::start(
            &server,
            &controllers.join("etcd"),
            &["--data-dir", &path("etcd"), "--unsafe-no-fsync", "--log-level", "warn"],
            &folder.join("etcd.log"),
        );
        let authority = Authority::new("k3s-server-ca");
        let [certificate, key] = authority.sign(&ip).pem();
        let account = KeyPair::generate().expect("a key");
        let (account, verifier) = (account.serialize_pem(), account.public_key_pem());
        let token = format!("{TOKEN},admin,1,system:masters\n");
        for (name, text) in [
            ("tls.crt", certificate),
            ("tls.key", key),
            ("account.key", account),
            ("account.pub", verifier),
            ("tokens", token),
        ] {
            fs::write(folder.join(name), text).expect("a file");
        }
        let services: Vec<_> = cluster.network.services.each().map(|range| range.to_string()).collect();
        let arguments = [
            "--etcd-servers=http://127.0.0.1:2379".to_owned(),
            format!("--secure-port={PORT}"),
            format!("--advertise-address={ip}"),
            format!("--service-cluster-ip-range={}", services.join(",")),
            format!("--tls-cert-file={}", path("tls.crt")),
            format!("--tls-private-key-file={}", path("tls.key")),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            format!("--service-account-signing-key-file={}", path("account.key")),
            format!("--service-account-key-file={}", path("account.pub")),
            format!("--token-auth-file={}", path("tokens")),
            "--authorization-mode=Node,RBAC".to_owned(),
            "--allow-privileged".to_owned(),
            format!("--cert-dir={}", path("pki")),
        ];
        let refusals = refusals::flags(folder);
        let arguments: Vec<_> = arguments.iter().chain(&refusals).map(String::as_str).collect();
        let log = folder.join("kube-apiserver.log");
        let api_server = Running::start(&server, &controllers.join("kube-apiserver"), &arguments, &log);
        let address = format!("https://{ip}:{PORT}");
        let kubeconfig = kubeconfig(&authority.pem, &address, TOKEN);
        let mut kubernetes = Self {
            api: Api::new(&kubeconfig),
            kubeconfig,
            controllers: controllers.to_owned(),
            folder: folder.to_owned(),
            server,
            helm_controller: None,
            operator: None,
            agents: BTreeMap::new(),
            authority: authority.pem,
            address,
            _etcd: etcd,
            api_server,
        };
        until("the API server is ready", START, || {
            assert!(!kubernetes.api_server.has_ended(), "{}", fs::read_to_string(&log).unwrap_or_default());
            kubernetes.api.get("/api/v1/namespaces/kube-system").is_some()
        });
        kubernetes
    }

    /// Returns the objects of a chart with the values of its rendered `HelmChart`.
    pub(crate) fn chart(&self, chart: &Value, kinds: &[&str]) -> Vec<Value> {
        let name = chart["metadata"]["name"].as_str().expect("a name");
        let namespace = chart["spec"]["targetNamespace"].as_str().expect("a namespace");
        let mut helm = Command::new(self.controllers.join("chart"))
            .args([name, namespace])
            .arg(self.controllers.join("charts").join(name))
            .args(kinds)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program");
        let values = chart["spec"]["valuesContent"].as_str().expect("values");
        helm.stdin.take().expect("input").write_all(values.as_bytes()).expect("input");
        let output = helm.wait_with_output().expect("output");
        assert!(output.status.success(), "the chart {name} cannot be rendered");
        let lines = String::from_utf8(output.stdout).expect("UTF-8");
        let objects = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        // Helm puts an object that names no namespace into the release's.
        objects
            .map(|mut object| {
                if object["metadata"]["namespace"].is_null() {
                    object["metadata"]["namespace"] = json!(namespace);
                }
                object
            })
            .collect()
    }

    /// Applies what Cilium's chart makes, and lays its settings out as its pods see them.
    pub(crate) fn install_cilium(&self, chart: &Value) {
        let objects = self.chart(chart, &["gateway.networking.k8s.io/v1/GatewayClass"]);
        let settings = objects.iter().find(|object| object["metadata"]["name"] == "cilium-config");
        let settings = settings.and_then(|map| map["data"].as_object()).expect("the settings");
        let folder = self.settings();
        fs::create_dir_all(&folder).expect("a folder");
        for (key, value) in settings {
            fs::write(folder.join(key), value.as_str().unwrap_or_default()).expect("a setting");
        }
        for object in &objects {
            // The class comes once the cluster knows the kind, as Helm's job repeats until it does.
            if let Err(why) = self.api.apply_object(object) {
                assert!(object["kind"] == "GatewayClass", "{why}");
            }
        }
    }

    fn settings(&self) -> PathBuf {
        self.folder.join("cilium-config")
    }

    /// Writes a kubeconfig with a token of a service account of the chart, so that its permissions are those of the chart.
    fn credentials(&self, account: &str) -> String {
        let path = format!("/api/v1/namespaces/kube-system/serviceaccounts/{account}/token");
        let request = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} });
        let token = self.api.post(&path, &request);
        let token = token["status"]["token"].as_str().expect("a token");
        let file = self.folder.join(format!("{account}.kubeconfig"));
        fs::write(&file, kubeconfig(&self.authority, &self.address, token)).expect("a kubeconfig");
        file.display().to_string()
    }

    fn controller(&self, namespace: &str, program: &str, account: &str, further: &[&str]) -> Running {
        let (settings, credentials) = (self.settings().display().to_string(), self.credentials(account));
        let own = ["--config-dir", &settings, "--k8s-kubeconfig-path", &credentials];
        let log = self.folder.join(format!("{program}-{namespace}.log"));
        Running::start(namespace, &self.controllers.join(program), &[&own, further].concat(), &log)
    }

    /// Starts helm-controller, which k3s runs inside its own process, with the rights and the role that k3s gives it. It
    /// defines its kinds itself.
    pub(crate) fn start_helm_controller(&mut self) {
        let file = self.folder.join("helm-controller.kubeconfig");
        fs::write(&file, &self.kubeconfig).expect("a kubeconfig");
        let kubeconfig = file.display().to_string();
        let arguments = ["--kubeconfig", &kubeconfig, "--job-cluster-role", "cluster-admin"];
        let program = self.controllers.join("helm-controller");
        let log = self.folder.join("helm-controller.log");
        self.helm_controller = Some(Running::start(&self.server, &program, &arguments, &log));
        let kind = "/apis/helm.cattle.io/v1/helmcharts";
        until("helm-controller has defined its kinds", START, || self.api.get(kind).is_some());
    }

    /// Starts Cilium's operator, after the one before it has given its lease back.
    pub(crate) fn restart_operator(&mut self) {
        if let Some(operator) = self.operator.take() {
            operator.end();
        }
        self.operator = Some(self.controller(&self.server, "cilium-operator", "cilium-operator", &[]));
    }

    /// Starts Cilium's BGP control plane on a node.
    pub(crate) fn start_agent(&mut self, node: &str) {
        let agent = self.controller(node, "agent", "cilium", &["--node", node]);
        self.agents.insert(node.to_owned(), agent);
    }

    /// Kills Cilium's BGP control plane on a node.
    pub(crate) fn kill_agent(&mut self, node: &str) {
        self.agents.remove(node).expect("an agent");
    }

    /// Makes what a kubelet makes: its node and, once Cilium's agent and operator run, their pods.
    pub(crate) fn register_nodes(&self, cluster: &Cluster) {
        for node in &cluster.nodes {
            let addresses = node
                .address
                .each()
                .map(|address| json!({ "type": "InternalIP", "address": address.addr().to_string() }));
            let name = node.name.as_str();
            let object = json!({
                "apiVersion": "v1", "kind": "Node",
                "metadata": { "name": name, "labels": { "kubernetes.io/hostname": name } },
            });
            self.api.apply_object(&object).expect("a node");
            // Server-side apply refuses two addresses of one type, which every dual-stack node has.
            let status = json!({ "status": {
                "addresses": addresses.collect::<Vec<_>>(),
                "conditions": [ready("True", "KubeletReady")],
                "nodeInfo": { "kubeletVersion": KUBELET, "architecture": "arm64", "bootID": "",
                    "containerRuntimeVersion": "", "kernelVersion": "", "kubeProxyVersion": "", "machineID": "",
                    "operatingSystem": "linux", "osImage": "", "systemUUID": "" },
            } });
            self.api.patch(&format!("/api/v1/nodes/{name}/status"), &status);
        }
    }

    /// Makes what the rest of Cilium's agents makes: a `CiliumNode` each, and pods that are ready.
    pub(crate) fn register_agents(&self, cluster: &Cluster) {
        for node in &cluster.nodes {
            let name = node.name.as_str();
            let addresses = node
                .address
                .each()
                .map(|address| json!({ "type": "InternalIP", "ip": address.addr().to_string() }));
            let object = json!({
                "apiVersion": "cilium.io/v2", "kind": "CiliumNode", "metadata": { "name": name },
                "spec": { "addresses": addresses.collect::<Vec<_>>(), "ipam": {} },
            });
            self.api.apply_object(&object).expect("a CiliumNode");
            self.pod(&format!("cilium-{name}"), name, &json!({ "k8s-app": "cilium" }), true);
        }
    }

    /// Makes a pod of `kube-system`, or says whether it is ready.
    pub(crate) fn pod(&self, pod: &str, node: &str, labels: &Value, is_ready: bool) {
        self.pod_in("kube-system", pod, node, labels, is_ready);
    }

    pub(crate) fn pod_in(&self, namespace: &str, pod: &str, node: &str, labels: &Value, is_ready: bool) {
        let status = if is_ready { "True" } else { "False" };
        let account = "none";
        let object = json!({ "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": { "name": account, "namespace": namespace } });
        self.api.apply_object(&object).expect("a service account");
        let object = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": pod, "namespace": namespace, "labels": labels },
            "spec": { "nodeName": node, "automountServiceAccountToken": false, "serviceAccountName": account,
                "containers": [{ "name": "container", "image": "none" }] },
            "status": { "phase": "Running", "conditions": [ready(status, "")] },
        });
        self.api.apply_object(&object).expect("a pod");
    }

    /// Says of a node what its kubelet, or the node controller in its absence, would say.
    pub(crate) fn node_is_ready(&self, node: &str, is_ready: bool) {
        let condition = if is_ready {
            ready("True", "KubeletReady")
        } else {
            let mut unknown = ready("Unknown", "NodeStatusUnknown");
            unknown["message"] = json!("Kubelet stopped posting node status.");
            unknown
        };
        let change = json!({ "status": { "conditions": [condition] } });
        self.api.patch(&format!("/api/v1/nodes/{node}/status"), &change);
    }

    /// The last lines of all logs.
    pub(crate) fn logs(&self) -> String {
        let files = fs::read_dir(&self.folder).expect("a folder").flatten().map(|entry| entry.path());
        let logs = files.filter(|file| file.extension().is_some_and(|extension| extension == "log"));
        let of_log = |file: PathBuf| {
            let text = fs::read_to_string(&file).unwrap_or_default();
            let lines: Vec<_> = text.lines().collect();
            let last = lines.len().saturating_sub(15);
            format!("--- {}\n{}\n", file.display(), lines[last..].join("\n"))
        };
        logs.map(of_log).collect()
    }
}

fn ready(status: &str, reason: &str) -> Value {
    json!({ "type": "Ready", "status": status, "reason": reason, "message": "" })
}

fn kubeconfig(authority: &str, server: &str, token: &str) -> String {
    let authority = data_encoding::BASE64.encode(authority.as_bytes());
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "default", "cluster": { "server": server, "certificate-authority-data": authority } }],
        "users": [{ "name": "default", "user": { "token": token } }],
        "contexts": [{ "name": "default", "context": { "cluster": "default", "user": "default" } }],
        "current-context": "default",
    });
    config.to_string()
}
