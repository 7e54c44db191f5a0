//! Network namespaces of nodes and routers on one network, and the programs that run in them.

use std::fs::{self, File};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use ipnet::IpNet;
use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

const BRIDGE: &str = "lan";

/// Runs a program to its end, and returns its output.
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().expect(program);
    let said = String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    said
}

/// Makes file systems of the test's own where names of namespaces and sockets lie, and the network of the nodes, on which
/// this process has `addresses`.
pub(crate) fn prepare(addresses: &[IpNet]) {
    for folder in ["/run", "/var/tmp"] {
        run("mount", &["-t", "tmpfs", "-o", "mode=1777", "none", folder]);
    }
    run("ip", &["link", "set", "lo", "up"]);
    run("ip", &["link", "add", BRIDGE, "type", "bridge"]);
    run("ip", &["link", "set", BRIDGE, "up"]);
    for address in addresses {
        add_address(&[], *address, BRIDGE);
    }
}

/// Makes a namespace that is connected to the network of the nodes by its interface `eth0`.
pub(crate) fn create(name: &str, addresses: &[IpNet]) {
    run("ip", &["netns", "add", name]);
    run("ip", &["-n", name, "link", "set", "lo", "up"]);
    let port = format!("p-{name}");
    run("ip", &["link", "add", &port, "type", "veth", "peer", "name", "eth0", "netns", name]);
    run("ip", &["link", "set", &port, "master", BRIDGE, "up"]);
    // Addresses of IPv6 stay while the cable is out.
    within(name, || fs::write("/proc/sys/net/ipv6/conf/all/keep_addr_on_down", "1")).expect("a parameter");
    for address in addresses {
        add_address(&["-n", name], *address, "eth0");
    }
    run("ip", &["-n", name, "link", "set", "eth0", "up"]);
}

pub(crate) fn add_address(namespace: &[&str], address: IpNet, interface: &str) {
    let text = address.to_string();
    let at_once: &[_] = if address.addr().is_ipv6() { &["nodad"] } else { &[] };
    run("ip", &[namespace, &["address", "add", &text, "dev", interface], at_once].concat());
}

pub(crate) fn set_cable(name: &str, is_in: bool) {
    run("ip", &["-n", name, "link", "set", "eth0", if is_in { "up" } else { "down" }]);
}

/// Returns the next hops of an address in the kernel of a namespace.
pub(crate) fn next_hops(namespace: &str, address: IpAddr) -> Vec<IpAddr> {
    let family = if address.is_ipv4() { "-4" } else { "-6" };
    let host = IpNet::from(address).to_string();
    let said = run("ip", &["-n", namespace, family, "-j", "route", "show", &host]);
    let routes: serde_json::Value = serde_json::from_str(&said).unwrap_or_default();
    let of_route = |route: &serde_json::Value| match route["nexthops"].as_array() {
        Some(hops) => hops.clone(),
        None => vec![route.clone()],
    };
    let routes = routes.as_array().into_iter().flatten();
    let mut hops: Vec<IpAddr> =
        routes.flat_map(of_route).filter_map(|hop| hop["gateway"].as_str()?.parse().ok()).collect();
    hops.sort();
    hops
}

/// Runs a task in a namespace. Sockets that it opens and threads that it starts stay there.
pub(crate) fn within<T: Send>(name: &str, task: impl FnOnce() -> T + Send) -> T {
    let file = File::open(format!("/run/netns/{name}")).expect("a namespace");
    thread::scope(|scope| {
        let inside = scope.spawn(|| {
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).expect("a namespace");
            task()
        });
        inside.join().expect("a task")
    })
}

/// A program that runs in a namespace. It is killed when this is dropped.
pub(crate) struct Running(Child);

/// The longest that a program takes to end after SIGTERM.
const END: Duration = Duration::from_secs(10);

impl Running {
    pub(crate) fn start(namespace: &str, program: &Path, arguments: &[&str], log: &Path) -> Self {
        let log = File::options().create(true).append(true).open(log).expect("a log");
        // `ip netns exec` replaces itself with the program.
        let child = Command::new("ip")
            .args(["netns", "exec", namespace])
            .arg(program)
            .args(arguments)
            .env("HOME", "/run")
            .env("CILIUM_K8S_NAMESPACE", "kube-system")
            .env("K8S_NODE_NAME", namespace)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn();
        Self(child.expect("a program"))
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().expect("a state").is_some()
    }

    /// Asks the program to end, and waits until it has.
    pub(crate) fn end(mut self) {
        let pid = Pid::from_child(&self.0);
        let _ = kill_process(pid, Signal::TERM);
        crate::wait::until("a program ends", END, || self.has_ended());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
