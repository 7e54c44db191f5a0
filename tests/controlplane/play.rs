//! What happens to an example's cluster, and what has to follow. `rk1 status` is asked at each stage.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use regex::Regex;
use rk1::config::cluster::{Addresses, Bgp, Cluster};
use rk1::render::document::Document;
use rk1::render::routers::{placeholder, router_documents};
use serde_json::{Value, json};
use snapbox::{Data, assert_data_eq};

use crate::ROOT;
use crate::certificates::Authority;
use crate::example::{Example, objects};
use crate::host::{self, Host, Module};
use crate::kubernetes::Kubernetes;
use crate::namespace::{self, add_address, next_hops, set_cable, within};
use crate::refusals;
use crate::router::Router;
use crate::server::{Service, serve};
use crate::wait::until;

/// The longest until something that is expected soon has happened on a busy machine.
const SOON: Duration = Duration::from_secs(30);
/// The longest until Cilium's operator has made its resource definitions, a second each, and reconciled.
const OPERATOR: Duration = Duration::from_secs(90);
/// Within this time after a router answers again, all sessions are back.
const ROUTER_BACK: Duration = Duration::from_secs(10);
/// The time that a router takes to boot in the play. Long enough that each node has dialed in vain.
const ROUTER_BOOT: Duration = Duration::from_secs(12);
/// The time that an agent is away.
const AGENT_AWAY: Duration = Duration::from_secs(2);
/// What a route takes beyond the hold time until it is gone, and the look at it.
const SLACK: Duration = Duration::from_secs(2);
const PASSWORD: &str = "a-password-of-the-test";
/// The machine on which `rk1 status` runs.
const OPERATOR_MACHINE: [IpNet; 2] = [
    IpNet::V4(Ipv4Net::new_assert(std::net::Ipv4Addr::new(172, 16, 10, 10), 24)),
    IpNet::V6(Ipv6Net::new_assert(std::net::Ipv6Addr::new(0xfd00, 0x172, 0x16, 0x10, 0, 0, 0, 0x10), 64)),
];

const GATEWAY: &str = "/apis/gateway.networking.k8s.io/v1/namespaces/gateway/gateways/shared";
const CLASS: &str = "/apis/gateway.networking.k8s.io/v1/gatewayclasses/cilium";
const ADVERTISEMENT: &str = "/apis/cilium.io/v2/ciliumbgpadvertisements/load-balancer-addresses";

struct Play<'a> {
    example: &'a Example,
    controllers: &'a Path,
    folder: PathBuf,
    cluster: Cluster,
    documents: Vec<Document>,
    kubernetes: Kubernetes,
    routers: Vec<Router>,
}

pub(crate) fn play(example: &Example, controllers: &Path) {
    let mut play = Play::start(example, controllers);
    let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| play.stages()));
    if let Err(panic) = played {
        eprintln!("{}", play.kubernetes.logs());
        std::panic::resume_unwind(panic);
    }
}

fn report(what: &str, took: Duration) {
    println!("time: {what}: {:.1} s", took.as_secs_f64());
}

/// A condition's status, such as `True`.
fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a str> {
    let conditions = object["status"]["conditions"].as_array()?;
    conditions.iter().find(|condition| condition["type"] == kind)?["status"].as_str()
}

fn bgp(cluster: &Cluster) -> &Bgp {
    cluster.bgp.as_ref().expect("a cluster with BGP")
}

impl<'a> Play<'a> {
    fn start(example: &'a Example, controllers: &'a Path) -> Self {
        namespace::prepare(&OPERATOR_MACHINE);
        let folder = PathBuf::from("/run/play");
        fs::create_dir(&folder).expect("a folder");
        let cluster = example.cluster();
        let documents = example.documents(&cluster);
        for node in &cluster.nodes {
            namespace::create(node.name.as_str(), &node.address.each().collect::<Vec<_>>());
        }
        let mut routers = Vec::new();
        for (router, daemon) in bgp(&cluster).routers.iter().zip(example.daemons) {
            let name = router.name.as_str();
            let prefix = |address: IpAddr| {
                let networks = OPERATOR_MACHINE.iter().find(|network| network.contains(&address));
                IpNet::new(address, networks.expect("a network").prefix_len()).expect("a prefix")
            };
            namespace::create(name, &router.address.each().map(prefix).collect::<Vec<_>>());
            within(name, || {
                for parameter in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] {
                    fs::write(format!("/proc/sys/net/{parameter}"), "1").expect("a parameter");
                }
            });
            let text = router_documents(&cluster, router).expect("documents").remove(0).body;
            let text = router
                .password
                .as_ref()
                .map_or(text.clone(), |secret| text.replace(&placeholder(secret), PASSWORD));
            routers.push(Router::new(*daemon, name, &folder, &text));
        }
        // This machine reaches the gateway through the first router.
        let first = bgp(&cluster).routers[0].address.each();
        for (gateway, router) in cluster.gateways[0].address.each().zip(first) {
            namespace::run("ip", &["route", "add", &gateway.to_string(), "via", &router.to_string()]);
        }
        let kubernetes = Kubernetes::start(controllers, &folder, &cluster);
        let play = Self { example, controllers, folder, cluster, documents, kubernetes, routers };
        play.write_operator_machine();
        play
    }

    fn bgp(&self) -> &Bgp {
        bgp(&self.cluster)
    }

    /// The gateway's addresses.
    fn gateway(&self) -> Addresses {
        self.cluster.gateways[0].address
    }

    /// The files of the machine on which `rk1 status` runs.
    fn write_operator_machine(&self) {
        let machine = self.machine();
        fs::create_dir_all(machine.join("secrets")).expect("a folder");
        fs::write(machine.join("cluster.toml"), self.example.text()).expect("cluster.toml");
        fs::write(machine.join("kubeconfig"), &self.kubernetes.kubeconfig).expect("a kubeconfig");
        let authority = Authority::new("the machine's authority");
        fs::write(machine.join("trusted.pem"), &authority.pem).expect("an authority");
        // Every node answers at the gateway's address as Envoy would, with Hubble's page.
        let page = authority.sign(&self.cluster.hubble.as_ref().expect("Hubble").to_string());
        let gateways: Vec<_> = self.gateway().each().collect();
        for node in &self.cluster.nodes {
            for gateway in &gateways {
                add_address(&["-n", node.name.as_str()], IpNet::from(*gateway), "lo");
            }
            within(node.name.as_str(), || {
                serve(&format!("{}:443", gateways[0]), Some(page.clone()), Service::Status(200));
            });
        }
        let nodes = self.cluster.nodes.iter().map(|node| (node.ssh.clone(), Module::well().host()));
        let routers = self.routers.iter().zip(&self.bgp().routers).map(|(running, router)| {
            let (shell, command) = running.shell_command();
            let programs = BTreeMap::from([(shell, format!("exec {command} \"$@\"\n"))]);
            (format!("root@{}", router.address.v4()), Host::Programs(programs))
        });
        host::write(&machine, &nodes.chain(routers).collect());
    }

    fn machine(&self) -> PathBuf {
        self.folder.join("machine")
    }

    /// Compares what `rk1 status` prints with the screen of a stage. Controllers write their status some seconds after the
    /// fact, so it is asked until the screen is the expected one.
    fn status(&self, stage: &str) {
        let path = format!("{ROOT}/tests/controlplane/screens/{}-{stage}.txt", self.example.name);
        let expected = fs::read_to_string(&path).unwrap_or_default();
        let is_rewritten = std::env::var_os("SNAPSHOTS").is_some();
        let started = Instant::now();
        let limit = if is_rewritten { Duration::from_secs(8) } else { SOON };
        loop {
            let printed = self.screen();
            let is_over = started.elapsed() > limit;
            if is_over || (!is_rewritten && printed == expected) {
                return assert_data_eq!(printed, Data::read_from(path.as_ref(), None).raw());
            }
            thread::sleep(Duration::from_secs(1));
        }
    }

    fn screen(&self) -> String {
        let machine = self.machine();
        let path = std::env::var("PATH").expect("PATH");
        let output = Command::new(env!("CARGO_BIN_EXE_rk1"))
            .arg("status")
            .current_dir(&machine)
            .env("PATH", format!("{}:{path}", machine.join("bin").display()))
            .env("NO_COLOR", "1")
            .env("SSL_CERT_FILE", machine.join("trusted.pem"))
            .env("KUBECONFIG", machine.join("kubeconfig"))
            .env_remove("SSL_CERT_DIR")
            .stdin(Stdio::null())
            .output()
            .expect("rk1 runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let (screen, words) = (text(output.stdout), text(output.stderr));
        let code = output.status.code().expect("an exit code");
        let uptime = Regex::new(r"established for [0-9:]+").expect("an expression");
        let screen = uptime.replace_all(&screen, "established for TIME");
        // Warnings about cluster.toml are not the subject.
        let warnings = Regex::new("(?m)^[0-9]+ warnings?: run `rk1 check`\n").expect("an expression");
        let words = warnings.replace(&words, "");
        format!("{screen}--- standard error\n{words}--- exit code {code}\n")
    }

    fn object(&self, path: &str) -> Value {
        self.kubernetes.api.get(path).unwrap_or_default()
    }

    fn apply(&self, manifest: &str) {
        for object in objects(&self.documents, manifest) {
            self.kubernetes.api.apply_object(&object).unwrap_or_else(|why| panic!("{manifest}: {why}"));
        }
    }

    fn apply_gateway_api(&self, release: &str) {
        let file = self.controllers.join("gateway-api").join(format!("{release}.yaml"));
        self.kubernetes.api.apply(&fs::read_to_string(file).expect("definitions"));
    }

    fn established(&self) -> usize {
        self.routers.iter().filter(|router| router.is_running()).map(Router::established).sum()
    }

    fn all_sessions(&self) -> usize {
        let running = self.routers.iter().filter(|router| router.is_running()).count();
        running * self.cluster.nodes.len() * self.gateway().each().count()
    }

    /// Whether each router that runs has all nodes as next hops of the gateway, except one.
    fn has_next_hops(&self, without: Option<&str>) -> bool {
        let gateways: Vec<_> = self.gateway().each().collect();
        self.routers.iter().filter(|router| router.is_running()).all(|router| {
            gateways.iter().all(|gateway| {
                let nodes = self.cluster.nodes.iter().filter(|node| Some(node.name.as_str()) != without);
                let addresses = nodes.flat_map(|node| node.address.addresses().each());
                let mut expected: Vec<_> =
                    addresses.filter(|address| address.is_ipv4() == gateway.is_ipv4()).collect();
                expected.sort();
                next_hops(&router.namespace, *gateway) == expected
            })
        })
    }

    fn until_converged(&self, what: &str) {
        let took =
            until(what, SOON, || self.established() == self.all_sessions() && self.has_next_hops(None));
        report(what, took);
    }

    fn nodes(&self) -> Vec<String> {
        self.cluster.nodes.iter().map(|node| node.name.to_string()).collect()
    }

    fn stages(&mut self) {
        self.first_boot();
        refusals::judge(&self.kubernetes, &self.documents, &self.folder);
        self.taken_address();
        self.label_mismatch();
        self.router_reboots();
        self.agent_restarts();
        self.node_is_lost();
        if self.routers.len() > 1 {
            self.second_router_is_down();
        }
        self.later_gateway_api();
    }

    /// Each part is there before what it needs, as on a first boot: k3s repeats what it cannot apply.
    fn first_boot(&mut self) {
        self.kubernetes.register_nodes(&self.cluster);
        self.kubernetes.start_helm_controller();
        self.status("1-bare");

        let started = Instant::now();
        let chart = self.installed_chart("10-cilium.yaml");
        self.kubernetes.install_cilium(&chart);
        self.kubernetes.restart_operator();
        self.kubernetes.pod(
            "cilium-operator",
            &self.nodes()[0],
            &json!({ "io.cilium/app": "operator" }),
            true,
        );
        self.issue_certificate();
        let pool = "/apis/cilium.io/v2/ciliumloadbalancerippools";
        until("the operator has defined its kinds", OPERATOR, || self.kubernetes.api.get(pool).is_some());
        report("the operator has defined its kinds", started.elapsed());

        // The Gateway API comes too late for the operator, which looks for it once.
        self.apply_gateway_api("1.6.1");
        self.kubernetes.install_cilium(&chart);
        self.apply("50-gateway.yaml");
        self.status("2-definitions-late");
        self.kubernetes.restart_operator();
        until("the class is accepted", OPERATOR, || {
            condition(&self.object(CLASS), "Accepted") == Some("True")
        });

        // Neither a pool nor a CiliumNode is there.
        self.status("3-no-pool");
        self.apply("30-bgp.yaml");
        for router in &self.bgp().routers {
            if router.password.is_some() {
                let name = format!("bgp-{}", router.name);
                let secret = json!({ "apiVersion": "v1", "kind": "Secret",
                    "metadata": { "name": name, "namespace": "kube-system" },
                    "stringData": { "password": PASSWORD } });
                self.kubernetes.api.apply_object(&secret).expect("a Secret");
            }
        }
        until("the gateway is programmed", SOON, || {
            condition(&self.object(GATEWAY), "Programmed") == Some("True")
        });
        self.status("4-no-ciliumnode");

        for router in &mut self.routers {
            router.start();
        }
        let started = Instant::now();
        self.kubernetes.register_agents(&self.cluster);
        for node in self.nodes() {
            self.kubernetes.start_agent(&node);
        }
        until("all sessions and routes", SOON, || {
            self.established() == self.all_sessions() && self.has_next_hops(None)
        });
        report("from nothing: all sessions and routes after the agents' start", started.elapsed());
        self.status("5-converged");
    }

    /// Applies a manifest's `HelmChart` as k3s does. Its job, which helm-controller makes, is compared with the expected one,
    /// and has succeeded then.
    fn installed_chart(&self, manifest: &str) -> Value {
        let mut chart = objects(&self.documents, manifest).remove(0);
        let name = chart["metadata"]["name"].as_str().expect("a name").to_owned();
        // k3s puts the address of its API server there before it applies the file.
        if let Some(address) = chart["spec"]["chart"].as_str() {
            chart["spec"]["chart"] = json!(address.replace("%{KUBERNETES_API}%", "127.0.0.1:6443"));
        }
        self.kubernetes.api.apply_object(&chart).expect("a HelmChart");
        let job = format!("/apis/batch/v1/namespaces/kube-system/jobs/helm-install-{name}");
        until("the chart's job", SOON, || self.kubernetes.api.get(&job).is_some());
        let spec = &self.object(&job)["spec"];
        let values = format!("/api/v1/namespaces/kube-system/secrets/chart-values-{name}");
        let values = self.object(&values);
        let values = values["data"].as_object().expect("the values").iter().map(|(key, value)| {
            let bytes =
                data_encoding::BASE64.decode(value.as_str().expect("a value").as_bytes()).expect("base64");
            (key.clone(), json!(String::from_utf8(bytes).expect("UTF-8")))
        });
        let found = json!({
            "backoffLimit": spec["backoffLimit"],
            "pod": spec["template"]["spec"],
            "values": values.collect::<serde_json::Map<_, _>>(),
        });
        let path = format!("{ROOT}/tests/controlplane/jobs/{}-{name}.json", self.example.name);
        assert_data_eq!(format!("{found:#}\n"), Data::read_from(path.as_ref(), None).raw());
        self.kubernetes.api.patch(&format!("{job}/status"), &json!({ "status": { "succeeded": 1 } }));
        chart
    }

    /// What cert-manager leaves once it has a certificate. Its definitions are real; itself it does not run here.
    fn issue_certificate(&self) {
        for name in ["cert-manager", "gateway"] {
            let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
            self.kubernetes.api.apply_object(&namespace).expect("a namespace");
        }
        let chart = self.installed_chart("20-cert-manager.yaml");
        for object in self.kubernetes.chart(&chart, &[]) {
            if object["kind"] == "CustomResourceDefinition" {
                self.kubernetes.api.apply_object(&object).expect("a definition");
            }
        }
        let is_known = || self.kubernetes.api.get("/apis/cert-manager.io/v1/clusterissuers").is_some();
        until("the definitions of cert-manager", SOON, is_known);
        let ready = json!({ "conditions": [{ "type": "Ready", "status": "True", "reason": "Ready", "message": "" }] });
        for mut issuer in objects(&self.documents, "40-issuer.yaml") {
            issuer["status"] = ready.clone();
            self.kubernetes.api.apply_object(&issuer).expect("an issuer");
        }
        let name = json!({ "name": "shared-gateway-certificate", "namespace": "gateway" });
        let [certificate, key] = Authority::new("Let's Encrypt").sign("*.virtualthoughts.co.uk").pem();
        let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": name, "type": "kubernetes.io/tls",
            "stringData": { "tls.crt": certificate, "tls.key": key } });
        self.kubernetes.api.apply_object(&secret).expect("a Secret");
        let days = |days: i64| {
            let now = Timestamp::from_second(Timestamp::now().as_second()).expect("a moment");
            now.checked_add(SignedDuration::from_hours(days * 24 + 12)).expect("a moment").to_string()
        };
        let mut status = ready;
        status["notAfter"] = json!(days(61));
        status["renewalTime"] = json!(days(31));
        let certificate = json!({ "apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": name,
            "spec": { "secretName": "shared-gateway-certificate", "dnsNames": ["*.virtualthoughts.co.uk"],
                "issuerRef": { "kind": "ClusterIssuer", "name": "letsencrypt-production" } },
            "status": status });
        self.kubernetes.api.apply_object(&certificate).expect("a Certificate");
        let labels = json!({ "app": "cert-manager" });
        self.kubernetes.pod_in("cert-manager", "cert-manager", &self.nodes()[0], &labels, true);
    }

    /// Another service cannot have the gateway's address, also while the gateway is not there.
    fn taken_address(&self) {
        self.kubernetes.api.delete(GATEWAY);
        let gateway_service = "/api/v1/namespaces/gateway/services/cilium-gateway-shared";
        until("the gateway's service is gone", SOON, || {
            // Nothing collects garbage here, which would delete the service with its owner.
            let _ =
                self.kubernetes.api.get(gateway_service).map(|_| self.kubernetes.api.delete(gateway_service));
            self.kubernetes.api.get(gateway_service).is_none()
        });
        let addresses: Vec<_> = self.gateway().each().map(|address| address.to_string()).collect();
        let service = |name: &str, annotations: Value| {
            json!({ "apiVersion": "v1", "kind": "Service",
                "metadata": { "name": name, "namespace": "default", "annotations": annotations },
                "spec": { "type": "LoadBalancer", "ports": [{ "port": 1883 }], "ipFamilyPolicy": "PreferDualStack" } })
        };
        self.kubernetes.api.apply_object(&service("mine", json!({}))).expect("a service");
        let thief = service("thief", json!({ "lbipam.cilium.io/ips": addresses.join(",") }));
        self.kubernetes.api.apply_object(&thief).expect("a service");
        let addresses_of = |name: &str| {
            let service = self.object(&format!("/api/v1/namespaces/default/services/{name}"));
            let ingress =
                service["status"]["loadBalancer"]["ingress"].as_array().cloned().unwrap_or_default();
            ingress.iter().filter_map(|each| each["ip"].as_str().map(str::to_owned)).collect::<Vec<_>>()
        };
        until("the other service has its addresses", SOON, || addresses_of("mine").len() == addresses.len());
        assert!(addresses_of("mine").iter().all(|address| !addresses.contains(address)));
        assert_eq!(addresses_of("thief"), Vec::<String>::new());
        self.apply("50-gateway.yaml");
        let took = until("the gateway has its address again", SOON, || {
            condition(&self.object(GATEWAY), "Programmed") == Some("True")
        });
        report("the gateway is programmed again", took);
        self.until_converged("the gateway is announced again");
        assert_eq!(addresses_of("thief"), Vec::<String>::new());
        for name in ["mine", "thief"] {
            self.kubernetes.api.delete(&format!("/api/v1/namespaces/default/services/{name}"));
        }
    }

    fn label_mismatch(&self) {
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

    fn router_reboots(&mut self) {
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

    fn agent_restarts(&mut self) {
        let node = self.nodes()[0].clone();
        let keeps =
            self.bgp().graceful_restart.is_some() && self.routers.len() * self.gateway().each().count() == 1;
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

    fn node_is_lost(&mut self) {
        let node = self.nodes().pop().expect("a node");
        let hold_time = Duration::from_secs(self.bgp().hold_time.into());
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
    fn second_router_is_down(&mut self) {
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

    fn later_gateway_api(&mut self) {
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
