//! What happens to an example's cluster, and what has to follow. `rk1 status` is asked at each stage.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use regex::Regex;
use rk1::config::cluster::{Addresses, Cluster, Gateway, Router as ConfiguredRouter};
use rk1::config::written::Announce;
use rk1::render::document::Document;
use rk1::render::routers::{placeholder, router_documents};
use serde_json::{Value, json};
use snapbox::{Data, assert_data_eq};

use crate::ROOT;
use crate::certificates::Authority;
use crate::example::{Example, Stages, objects};
use crate::host::{self, Host, Module};
use crate::kubernetes::Kubernetes;
use crate::namespace::{self, add_address, next_hops, within};
use crate::refusals;
use crate::router::Router;
use crate::server::{Service, serve};
use crate::wait::until;

/// The longest until something that is expected soon has happened on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(30);
/// The longest until Cilium's operator has made its resource definitions, a second each, and reconciled.
pub(crate) const OPERATOR: Duration = Duration::from_secs(90);
const PASSWORD: &str = "a-password-of-the-test";
/// The machine on which `rk1 status` runs: which address of the nodes' network it has.
const OPERATOR_MACHINE: usize = 250;

pub(crate) const GATEWAY: &str = "/apis/gateway.networking.k8s.io/v1/namespaces/gateway/gateways/shared";
pub(crate) const CLASS: &str = "/apis/gateway.networking.k8s.io/v1/gatewayclasses/cilium";

pub(crate) struct Play<'a> {
    pub(crate) example: &'a Example,
    pub(crate) controllers: &'a Path,
    pub(crate) folder: PathBuf,
    pub(crate) cluster: Cluster,
    pub(crate) documents: Vec<Document>,
    pub(crate) kubernetes: Kubernetes,
    pub(crate) routers: Vec<Router>,
}

pub(crate) fn play(example: &Example, controllers: &Path) {
    let mut play = Play::start(example, controllers);
    let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| play.stages()));
    if let Err(panic) = played {
        eprintln!("{}", play.kubernetes.logs());
        std::panic::resume_unwind(panic);
    }
}

pub(crate) fn report(what: &str, took: Duration) {
    println!("time: {what}: {:.1} s", took.as_secs_f64());
}

/// A condition's status, such as `True`.
pub(crate) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a str> {
    let conditions = object["status"]["conditions"].as_array()?;
    conditions.iter().find(|condition| condition["type"] == kind)?["status"].as_str()
}

/// The addresses of this machine: one in each network of the nodes.
fn operator_machine(cluster: &Cluster) -> Vec<IpNet> {
    let networks = cluster.nodes.first().expect("a node").address.each();
    let address = |network: IpNet| {
        let address = network.hosts().nth(OPERATOR_MACHINE - 1).expect("an address");
        IpNet::new(address, network.prefix_len()).expect("a prefix")
    };
    networks.map(address).collect()
}

/// The text of a router's rendered file, with the password that the router's owner fills in.
fn router_text(cluster: &Cluster, router: &ConfiguredRouter) -> String {
    let text = router_documents(cluster, router).expect("documents").remove(0).body;
    match &router.password {
        Some(secret) => text.replace(&placeholder(secret), PASSWORD),
        None => text,
    }
}

impl<'a> Play<'a> {
    fn start(example: &'a Example, controllers: &'a Path) -> Self {
        let cluster = example.cluster();
        let own = operator_machine(&cluster);
        namespace::prepare(&own);
        let folder = PathBuf::from("/run/play");
        fs::create_dir(&folder).expect("a folder");
        let documents = example.documents(&cluster);
        for node in &cluster.nodes {
            namespace::create(node.name.as_str(), &node.address.each().collect::<Vec<_>>());
        }
        let mut routers = Vec::new();
        for (router, daemon) in cluster.routers().iter().zip(example.daemons) {
            let name = router.name.as_str();
            let prefix = |address: IpAddr| {
                let network = own.iter().find(|network| network.contains(&address));
                IpNet::new(address, network.expect("a network").prefix_len()).expect("a prefix")
            };
            namespace::create(name, &router.address.each().map(prefix).collect::<Vec<_>>());
            within(name, || {
                for parameter in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] {
                    fs::write(format!("/proc/sys/net/{parameter}"), "1").expect("a parameter");
                }
            });
            routers.push(Router::new(*daemon, name, &folder, &router_text(&cluster, router)));
        }
        assert_eq!(routers.len(), cluster.routers().len(), "a daemon for each router");
        // This machine reaches the gateway through the first router.
        for router in cluster.routers().iter().take(1) {
            for (gateway, router) in cluster.gateways[0].address.each().zip(router.address.each()) {
                namespace::run("ip", &["route", "add", &gateway.to_string(), "via", &router.to_string()]);
            }
        }
        let kubernetes = Kubernetes::start(controllers, &folder, &cluster);
        let play = Self { example, controllers, folder, cluster, documents, kubernetes, routers };
        play.write_operator_machine();
        play
    }

    /// The addresses of the first gateway.
    pub(crate) fn gateway(&self) -> Addresses {
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
        if let Some(host) = &self.cluster.hubble {
            // Every node answers at the gateway's address as Envoy would, with Hubble's page.
            let page = authority.sign(&host.to_string());
            let gateways: Vec<_> = self.gateway().each().collect();
            for node in &self.cluster.nodes {
                for gateway in &gateways {
                    add_address(&["-n", node.name.as_str()], IpNet::from(*gateway), "lo");
                }
                within(node.name.as_str(), || {
                    serve(&format!("{}:443", gateways[0]), Some(page.clone()), Service::Status(200));
                });
            }
        }
        let nodes = self.cluster.nodes.iter().map(|node| (node.ssh.clone(), Module::well().host()));
        let routers = self.routers.iter().zip(self.cluster.routers()).map(|(running, router)| {
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
    pub(crate) fn status(&self, stage: &str) {
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

    pub(crate) fn object(&self, path: &str) -> Value {
        self.kubernetes.api.get(path).unwrap_or_default()
    }

    /// Applies a manifest as soon as the API server knows all of its kinds. Until then k3s would repeat it.
    pub(crate) fn apply(&self, manifest: &str) {
        let objects = objects(&self.documents, manifest);
        self.kubernetes.api.until_known(&objects);
        for object in objects {
            self.kubernetes.api.apply_object(&object).unwrap_or_else(|why| panic!("{manifest}: {why}"));
        }
    }

    pub(crate) fn apply_gateway_api(&self, release: &str) {
        let file = self.controllers.join("gateway-api").join(format!("{release}.yaml"));
        self.kubernetes.api.define(&fs::read_to_string(file).expect("definitions"));
    }

    /// Makes the Secrets that the servers make of the routers' passwords.
    pub(crate) fn apply_passwords(&self) {
        for router in self.cluster.routers().iter().filter(|router| router.password.is_some()) {
            let name = format!("bgp-{}", router.name);
            let secret = json!({ "apiVersion": "v1", "kind": "Secret",
                "metadata": { "name": name, "namespace": "kube-system" },
                "stringData": { "password": PASSWORD } });
            self.kubernetes.api.apply_object(&secret).expect("a Secret");
        }
    }

    /// The routers that run, each with its entry in `cluster.toml`.
    pub(crate) fn running_routers(&self) -> impl Iterator<Item = (&Router, &ConfiguredRouter)> {
        self.routers.iter().zip(self.cluster.routers()).filter(|(router, _)| router.is_running())
    }

    pub(crate) fn established(&self) -> usize {
        self.running_routers().map(|(router, _)| router.established()).sum()
    }

    pub(crate) fn all_sessions(&self) -> usize {
        self.running_routers().count() * self.cluster.nodes.len() * self.gateway().each().count()
    }

    /// Whether an address has all nodes as next hops of a router, except one.
    pub(crate) fn is_announced(&self, router: &Router, address: IpAddr, without: Option<&str>) -> bool {
        let nodes = self.cluster.nodes.iter().filter(|node| Some(node.name.as_str()) != without);
        let addresses = nodes.flat_map(|node| node.address.addresses().each());
        let mut expected: Vec<_> = addresses.filter(|own| own.is_ipv4() == address.is_ipv4()).collect();
        expected.sort();
        next_hops(&router.namespace, address) == expected
    }

    /// Whether each router that runs has all nodes as next hops of the gateways, except one.
    pub(crate) fn has_next_hops(&self, without: Option<&str>) -> bool {
        let is_by_bgp = |gateway: &&Gateway| {
            let pool = self.cluster.pool_with(gateway.address.v4().into());
            pool.is_some_and(|pool| pool.announce == Announce::Bgp)
        };
        let gateways = self.cluster.gateways.iter().filter(is_by_bgp);
        let addresses: Vec<_> = gateways.flat_map(|gateway| gateway.address.each()).collect();
        self.running_routers()
            .all(|(router, _)| addresses.iter().all(|address| self.is_announced(router, *address, without)))
    }

    pub(crate) fn has_converged(&self) -> bool {
        self.established() == self.all_sessions() && self.has_next_hops(None)
    }

    pub(crate) fn until_converged(&self, what: &str) {
        let took = until(what, SOON, || self.has_converged());
        report(what, took);
    }

    pub(crate) fn nodes(&self) -> Vec<String> {
        self.cluster.nodes.iter().map(|node| node.name.to_string()).collect()
    }

    fn stages(&mut self) {
        match self.example.stages {
            Stages::All => {
                self.first_boot_in_wrong_order();
                refusals::judge(&self.kubernetes, &self.documents, &self.folder);
                self.taken_address();
                self.pools();
                self.label_mismatch();
                self.router_reboots();
                self.agent_restarts();
                self.node_is_lost();
                if self.routers.len() > 1 {
                    self.second_router_is_down();
                }
                self.later_gateway_api();
            }
            Stages::Start => {
                self.first_boot();
                self.pools();
                self.status("converged");
            }
        }
    }
}
