//! A node: what it says about itself, and what Kubernetes says about it.

use k8s_openapi::jiff::Timestamp;

use super::gateway::{NamedFinding, follows_from};
use super::streamer::or_unknown;
use super::{cluster, pods, streamer};
use crate::config::cluster::{Cluster, Node, Place};
use crate::operate::status::error::ProbeError;
use crate::operate::status::facts::{
    CiliumNode, Condition, KubernetesFacts, Labels, Lookup, NodeFacts, NodeObject, Probed,
};
use crate::operate::status::finding::{Cause, Finding};
use crate::operate::status::observation::{HostObservation, NodeObservation};

/// Seconds by which a clock may be wrong. Certificates and etcd bear more; this says that something sets the clock.
const CLOCK_TOLERANCE: i64 = 5;
/// Days before the end of a certificate of k3s at which a restart of k3s is due. k3s itself warns from 120 days on.
const CERTIFICATE_NOTICE: i64 = 30;
const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

pub(super) fn judge(
    cluster: &Cluster,
    node: &Node,
    probed: Option<&Probed<NodeFacts>>,
    kubernetes: &Probed<KubernetesFacts>,
    now: Timestamp,
) -> NodeObservation {
    let name = node.name.clone();
    let Some(probed) = probed else {
        let cilium = cilium(node, None, kubernetes);
        let ready = ready(node, kubernetes, &[("cilium", &cilium)]);
        return NodeObservation { name, host: None, ready, cilium };
    };
    let of_facts = |judge: &dyn Fn(&NodeFacts) -> Finding| match probed {
        Ok(facts) => judge(facts),
        Err(_) => Finding::follows("the node did not answer"),
    };
    let answers = answers(cluster, node, probed);
    let k3s = of_facts(&|facts| k3s(node, facts, kubernetes, now));
    let clock = of_facts(&|facts| clock(node, facts));
    let cilium = cilium(node, Some((&answers, &k3s)), kubernetes);
    let causes = [("answers", &answers), ("k3s", &k3s), ("clock", &clock), ("cilium", &cilium)];
    let ready = ready(node, kubernetes, &causes);
    let host = HostObservation {
        disk: of_facts(&|facts| disk(node, facts)),
        system: of_facts(&|facts| system(cluster, node, facts, kubernetes)),
        streamer: cluster.streamer.as_ref().map(|_| of_facts(&|facts| streamer::judge(node, facts))),
        answers,
        k3s,
        clock,
    };
    NodeObservation { name, host: Some(host), ready, cilium }
}

fn answers(cluster: &Cluster, node: &Node, probed: &Probed<NodeFacts>) -> Finding {
    let (address, ssh) = (node.address.v4().addr(), &node.ssh);
    match probed.as_ref().map(|facts| &facts.addresses) {
        Ok(Some(addresses)) if !addresses.contains(&address) => {
            let found: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
            Finding::wrong(
                Cause::OtherAddress,
                format!("its address is {found}, not {address}"),
                format!("the router's DHCP server: it has to reserve {address} for the node"),
            )
        }
        Ok(_) => Finding::good("answers"),
        Err(error) if error.is_silence() => {
            let lease = if cluster.has_lease(node) { ", the router's DHCP reservation" } else { "" };
            let look_at = match &node.place {
                Some(Place { slot, board }) => format!(
                    "slot {slot} of {board}: `tpi power status`, `tpi uart -n {slot} get`, `ping {address}`{lease}"
                ),
                None => format!("its power and its console, `ping {address}`{lease}"),
            };
            Finding::wrong(Cause::NodeSilent, error.to_string(), look_at)
        }
        Err(ProbeError::Skipped { reason }) => {
            Finding::unknown(reason, "this machine: nodes are asked by its `ssh`")
        }
        Err(error @ ProbeError::Unexpected { .. }) => {
            let look_at = format!("`ssh {ssh} true`: it has to end without printing anything");
            Finding::unknown(error.to_string(), look_at)
        }
        Err(error) => {
            let look_at = format!(
                "`ssh {ssh}`: your key has to be in `ssh-keys`, and the node's host key in your known_hosts"
            );
            Finding::unknown(error.to_string(), look_at)
        }
    }
}

fn k3s(node: &Node, facts: &NodeFacts, kubernetes: &Probed<KubernetesFacts>, now: Timestamp) -> Finding {
    let name = &node.name;
    if facts.k3s != "active" {
        return Finding::wrong(
            Cause::K3sNotRunning,
            format!("k3s.service is {}", or_unknown(&facts.k3s)),
            format!("`journalctl -u k3s` on {name}"),
        )
        .of_object(format!("k3s.service on {name}"));
    }
    let expiring = kubernetes.as_ref().ok().and_then(|facts| facts.expiring.as_ref().ok());
    let Some(end) = expiring.and_then(|expiring| expiring.get(name.as_str())) else {
        return Finding::good("active");
    };
    let days = end.map(|end| (end.as_second() - now.as_second()).div_euclid(SECONDS_PER_DAY));
    let what = match days {
        Some(days) if days > CERTIFICATE_NOTICE => {
            return Finding::good(format!("active, its certificates expire in {days} days"));
        }
        Some(days) if days < 0 => "a certificate of k3s has expired".to_owned(),
        Some(1) => "a certificate of k3s expires in 1 day".to_owned(),
        Some(days) => format!("a certificate of k3s expires in {days} days"),
        None => "a certificate of k3s is about to expire".to_owned(),
    };
    let look_at = format!("`systemctl restart k3s` on {name}: k3s renews its certificates when it starts");
    Finding::wrong(Cause::K3sCertificatesExpire, what, look_at).of_object(format!("Node {name}"))
}

fn clock(node: &Node, facts: &NodeFacts) -> Finding {
    let ahead = facts.clock_ahead;
    if ahead.abs() <= CLOCK_TOLERANCE {
        return Finding::good("right");
    }
    let direction = if ahead > 0 { "ahead of" } else { "behind" };
    Finding::wrong(
        Cause::ClockSkew,
        format!("its clock is {} {direction} this machine's", duration(ahead.unsigned_abs())),
        format!("`timedatectl timesync-status` on {}, and this machine's own clock", node.name),
    )
    .of_object(format!("systemd-timesyncd.service on {}", node.name))
}

/// Writes seconds in the largest unit of which there are at least two.
fn duration(seconds: u64) -> String {
    let units = [(86_400, "days"), (3_600, "h"), (60, "min")];
    let unit = units.into_iter().find(|(length, _)| seconds >= 2 * length);
    unit.map_or_else(|| format!("{seconds} s"), |(length, unit)| format!("{} {unit}", seconds / length))
}

/// Cilium's agent on the node. Without it the node has no pod network.
/// `host` are the findings whether the node answers and runs k3s, if it was asked.
fn cilium(node: &Node, host: Option<(&Finding, &Finding)>, kubernetes: &Probed<KubernetesFacts>) -> Finding {
    let Ok(kubernetes) = kubernetes else { return Finding::follows("Kubernetes did not answer") };
    let is_caused = |finding: fn((&Finding, &Finding)) -> bool| host.is_some_and(finding);
    if is_caused(|(answers, _)| answers.is_caused_by(Cause::NodeSilent)) {
        return Finding::follows("the node did not answer");
    }
    if is_caused(|(_, k3s)| k3s.is_caused_by(Cause::K3sNotRunning)) {
        return Finding::follows("k3s does not run");
    }
    let pods = match &kubernetes.pods {
        Ok(pods) => pods,
        Err(error) => return pods::unread(error),
    };
    let registered = kubernetes.cilium_nodes.as_ref().ok().and_then(Lookup::found);
    let registered = registered.map(|nodes| nodes.get(node.name.as_str()));
    // Without a range for its pods an agent never gets ready, and does not say why.
    if let Some(Some(CiliumNode { refusal: Some(refusal) })) = registered {
        let what = format!("Cilium's operator has no pod network for it: {refusal}");
        let look_at = format!("`kubectl get ciliumnode {} -o yaml`, and `pods` in `[network]`", node.name);
        return Finding::wrong(Cause::NoPodRange, what, look_at)
            .of_object(format!("CiliumNode {}", node.name));
    }
    let is_agent = |labels: &Labels| labels.get("k8s-app").is_some_and(|name| name == "cilium");
    let mut agents = pods.iter().filter(|pod| is_agent(&pod.labels) && !pod.is_over);
    match agents.find(|pod| pod.node.as_deref() == Some(node.name.as_str())) {
        Some(pod) if pod.is_ready && registered == Some(None) => {
            let (node, namespace, pod) = (&node.name, &pod.namespace, &pod.name);
            let what = format!("the agent is ready, but has not registered: there is no CiliumNode {node}");
            let look_at = format!("`kubectl -n {namespace} logs {pod}`");
            Finding::wrong(Cause::AgentNotRegistered, what, look_at)
                .of_object(format!("Pod {namespace}/{pod}"))
        }
        Some(pod) if pod.is_ready => Finding::good("ready"),
        Some(pod) => pods::not_ready(pod),
        None if kubernetes
            .services
            .as_ref()
            .is_some_and(|found| cluster::chart(found, cluster::CILIUM).is_some()) =>
        {
            Finding::follows("no pod; see charts")
        }
        None if !pods.iter().any(|pod| is_agent(&pod.labels)) => {
            let look_at =
                "`kubectl -n kube-system get helmchart,job,daemonset`: k3s installs Cilium by a job";
            Finding::wrong(Cause::PodMissing, "Cilium's agent runs on no node", look_at)
                .of_object("DaemonSet kube-system/cilium")
        }
        None => {
            let look_at = "`kubectl -n kube-system describe daemonset cilium`";
            Finding::wrong(Cause::PodMissing, "Cilium's agent has no pod on it", look_at)
                .of_object("DaemonSet kube-system/cilium")
        }
    }
}

/// `causes` are findings about the same node, each of which keeps it from being ready.
fn ready(node: &Node, kubernetes: &Probed<KubernetesFacts>, causes: &[NamedFinding<'_>]) -> Finding {
    let Ok(kubernetes) = kubernetes else { return Finding::follows("Kubernetes did not answer") };
    let name = &node.name;
    let object = format!("Node {name}");
    let describe = format!("`kubectl describe node {name}`");
    let wrong: Vec<_> = causes.iter().filter(|(_, finding)| finding.is_wrong()).copied().collect();
    let Some(NodeObject { conditions, is_cordoned, .. }) = kubernetes.nodes.get(name.as_str()) else {
        if let Some(finding) = follows_from(&wrong, "not registered") {
            return finding;
        }
        let look_at = format!("`journalctl -u k3s` on {name}: whether it joins {}", kubernetes.server);
        return Finding::wrong(Cause::NodeNotRegistered, "Kubernetes does not know the node", look_at);
    };
    let Some(ready) = conditions.get("Ready") else {
        return Finding::wrong(Cause::NodeNotReady, "not ready: its kubelet has not reported yet", describe)
            .of_object(object);
    };
    if !ready.is_true {
        // Without Cilium's agent there is no pod network, whatever keeps the agent away.
        let causes = if is_about_network(ready) { causes } else { &wrong };
        if let Some(finding) = follows_from(causes, "not ready") {
            return finding;
        }
        let cause = if is_about_network(ready) { Cause::NetworkNotReady } else { Cause::NodeNotReady };
        return Finding::wrong(cause, format!("not ready: {}", ready.words()), describe).of_object(object);
    }
    for (kind, what, look_at) in PRESSURES {
        if conditions.get(kind).is_some_and(|condition| condition.is_true) {
            return Finding::wrong(
                Cause::NodePressure,
                format!("ready, but {what}"),
                format!("{look_at} on {name}"),
            )
            .of_object(object);
        }
    }
    Finding::good(if *is_cordoned { "ready, cordoned" } else { "ready" })
}

/// Conditions under which the kubelet evicts pods, and what to look at (kubernetes.io, "Node-pressure Eviction").
const PRESSURES: [(&str, &str, &str); 3] = [
    (
        "DiskPressure",
        "its disk is nearly full: pods are evicted",
        "`df -h /var/lib/rancher /var/lib/kubelet`, and `k3s crictl rmi --prune`",
    ),
    ("MemoryPressure", "its memory is nearly full: pods are evicted", "`kubectl top pod -A`, and `free -m`"),
    ("PIDPressure", "it has nearly no process numbers left", "`ps -eLf | wc -l`"),
];

fn is_about_network(ready: &Condition) -> bool {
    ["NetworkPluginNotReady", "NetworkReady=false", "cni plugin"]
        .iter()
        .any(|words| ready.message.contains(words))
}

fn disk(node: &Node, facts: &NodeFacts) -> Finding {
    let name = &node.name;
    let missing: Vec<_> = facts.mounts.iter().filter(|mount| mount.options.is_none()).collect();
    if let [first, rest @ ..] = missing.as_slice() {
        let what = match rest.len() {
            0 => format!("{} is not mounted", first.path),
            more => format!("{} and {more} more are not mounted", first.path),
        };
        return Finding::wrong(
            Cause::DiskNotMounted,
            what,
            format!("`journalctl -u {}` and `systemctl --failed` on {name}", first.unit),
        )
        .of_object(format!("{}.service on {name}", first.unit));
    }
    let is_read_only = |options: &String| options.split(',').any(|option| option == "ro");
    match facts.mounts.iter().find(|mount| mount.options.as_ref().is_some_and(is_read_only)) {
        Some(mount) => Finding::wrong(
            Cause::DiskReadOnly,
            format!("{} has become read-only", mount.path),
            format!("`journalctl -k --grep 'nvme|EXT4'` on {name}: the disk may be failing"),
        ),
        None if facts.mounts.is_empty() => Finding::good("none"),
        None => Finding::good("mounted"),
    }
}

/// What runs beside what should run. A pending reboot is not a fault.
fn system(
    cluster: &Cluster,
    node: &Node,
    facts: &NodeFacts,
    kubernetes: &Probed<KubernetesFacts>,
) -> Finding {
    let name = &node.name;
    let system = &facts.system;
    let differ = |one: &str, other: &str| !one.is_empty() && !other.is_empty() && one != other;
    if differ(&system.running, &system.profile) {
        return Finding::wrong(
            Cause::SystemNotRunning,
            "the running system is not the one of the profile, which the next boot starts",
            format!("`rk1 deploy {name}`, or `rk1-guard state` on {name} if a deploy is under way"),
        )
        .of_object(system.profile.clone());
    }
    let wanted = cluster.versions.k3s;
    let kubelet = kubernetes.as_ref().ok().and_then(|facts| facts.nodes.get(name.as_str()));
    if let Some(version) = kubelet.map(|node| node.version.as_str()).filter(|version| !version.is_empty())
        && !is_release(version, &wanted.to_string())
    {
        return Finding::wrong(
            Cause::SystemNotRunning,
            format!("k3s {version} runs, cluster.toml asks for {wanted}"),
            format!("`rk1 deploy {name}`"),
        )
        .of_object(format!("Node {name}"));
    }
    let runs = if differ(&system.booted_kernel, &system.running_kernel) {
        "a new kernel waits for a reboot"
    } else {
        "as deployed"
    };
    // `rk1 deploy` rewrites the menu, and the entry that boots by default is never collected.
    Finding::good(match system.lost_entries {
        0 => runs.to_owned(),
        1 => format!("{runs}; 1 entry of the boot menu is gone from the store"),
        entries => format!("{runs}; {entries} entries of the boot menu are gone from the store"),
    })
}

/// Whether `v1.36.4+k3s1` is of the release `1.36`.
fn is_release(version: &str, release: &str) -> bool {
    let rest = version.trim_start_matches('v').strip_prefix(release);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '+', '-']))
}
