//! What belongs to no single node: the API server, etcd, and what k3s installs.

use k8s_openapi::jiff::Timestamp;

use super::{certificate, gateway, pods};
use crate::config::cluster::Cluster;
use crate::config::written::Role;
use crate::operate::status::facts::{
    EtcdFacts, Facts, KubernetesFacts, Labels, Lookup, PodFacts, Probed, ServiceFacts,
};
use crate::operate::status::finding::{Cause, Finding};
use crate::operate::status::observation::{ClusterObservation, NodeObservation, ServiceObservation};
use crate::render::manifests::issuer::issuer_name;

/// A chart that is rendered as `HelmChart`, and its manifest.
pub(super) const CILIUM: (&str, &str) = ("cilium", "10-cilium.yaml");
const CERT_MANAGER: (&str, &str) = ("cert-manager", "20-cert-manager.yaml");
/// Milliseconds that etcd may take on average to write to the disk. It sends a heartbeat each 100 ms by default, and its
/// documentation asks for 10 ms in 99 of 100 cases (etcd.io, "Hardware recommendations").
const SLOW_FSYNC: u64 = 100;

pub(super) fn judge(
    cluster: &Cluster,
    facts: &Facts,
    nodes: &[NodeObservation],
    now: Timestamp,
) -> ClusterObservation {
    let etcd = etcd(cluster, facts, nodes);
    let kubernetes = kubernetes(cluster, &facts.kubernetes, nodes, &etcd);
    let services = match &facts.kubernetes {
        Ok(kubernetes) => kubernetes.services.as_ref().map(|found| (kubernetes, found)),
        // Where only some nodes are asked about there is no page either.
        Err(_) if facts.nodes.len() == cluster.nodes.len() => {
            let hubble = gateway::hubble(cluster, facts.page.as_ref(), None);
            return ClusterObservation {
                kubernetes,
                services: Some(without_kubernetes(cluster, etcd, hubble)),
            };
        }
        Err(_) => None,
    };
    let services =
        services.map(|(kubernetes, found)| services_of(cluster, kubernetes, found, etcd, facts, now));
    ClusterObservation { kubernetes, services }
}

fn services_of(
    cluster: &Cluster,
    kubernetes: &KubernetesFacts,
    found: &ServiceFacts,
    etcd: Finding,
    facts: &Facts,
    now: Timestamp,
) -> ServiceObservation {
    let installed = || Finding::good("installed");
    let cilium_chart = chart(found, CILIUM).unwrap_or_else(installed);
    let cilium_operator =
        deployment(&kubernetes.pods, "kube-system", "cilium-operator", &cilium_chart, |pod| {
            has_label(&pod.labels, "io.cilium/app", "operator")
        });
    let gateway_class =
        gateway::class(found, &[("charts", &cilium_chart), ("cilium operator", &cilium_operator)]);
    let gateways: Vec<_> = cluster
        .gateways
        .iter()
        .zip(&found.gateways)
        .map(|(gateway, lookups)| {
            let causes = [("gateway class", &gateway_class), ("cilium operator", &cilium_operator)];
            gateway::gateway(gateway, lookups, &causes)
        })
        .collect();
    let gateway = gateway::worst(&gateways);
    let chain = cluster.has_certificates().then(|| issued(cluster, kubernetes, found, &gateways, now));
    let cert_manager_chart = chain.as_ref().map(|chain| chain.chart.clone());
    let charts = [Some(cilium_chart), cert_manager_chart];
    let charts = charts.into_iter().flatten().find(|chart| !chart.is_good()).unwrap_or_else(installed);
    let (cert_manager, issuer, certificate) = match chain {
        Some(Issued { cert_manager, issuer, certificate, .. }) => {
            (Some(cert_manager), Some(issuer), Some(certificate))
        }
        None => (None, None, None),
    };
    ServiceObservation {
        manifests: manifests(found, &charts),
        hubble: gateway::hubble(cluster, facts.page.as_ref(), Some((&gateway, certificate.as_ref()))),
        etcd,
        charts,
        cilium_operator,
        gateway_class,
        gateway,
        cert_manager,
        issuer,
        certificate,
    }
}

/// What stands between cert-manager's chart and certificates that are issued.
struct Issued {
    chart: Finding,
    cert_manager: Finding,
    issuer: Finding,
    certificate: Finding,
}

fn issued(
    cluster: &Cluster,
    kubernetes: &KubernetesFacts,
    found: &ServiceFacts,
    gateways: &[Finding],
    now: Timestamp,
) -> Issued {
    let chart = chart(found, CERT_MANAGER).unwrap_or_else(|| Finding::good("installed"));
    let cert_manager = deployment(&kubernetes.pods, "cert-manager", "cert-manager", &chart, |pod| {
        pod.namespace == "cert-manager"
    });
    let (mut issuers, mut certificates) = (Vec::new(), Vec::new());
    for ((gateway, lookups), finding) in cluster.gateways.iter().zip(&found.gateways).zip(gateways) {
        let Some((name, found)) = issuer_name(gateway.issuer).zip(lookups.certificate.as_ref()) else {
            continue;
        };
        let causes = [("charts", &chart), ("cert-manager", &cert_manager)];
        let issuer = certificate::issuer(name, found, &causes);
        let causes = certificate::Causes { cert_manager: &cert_manager, issuer: &issuer, gateway: finding };
        certificates.push(certificate::certificate(gateway, lookups, found, &causes, now));
        if !issuers.contains(&issuer) {
            issuers.push(issuer);
        }
    }
    Issued {
        chart,
        cert_manager,
        issuer: gateway::worst(&issuers),
        certificate: gateway::worst(&certificates),
    }
}

fn without_kubernetes(cluster: &Cluster, etcd: Finding, hubble: Option<Finding>) -> ServiceObservation {
    let has_certificates = cluster.has_certificates();
    let unknown = || Finding::follows("Kubernetes did not answer");
    ServiceObservation {
        etcd,
        charts: unknown(),
        manifests: unknown(),
        cilium_operator: unknown(),
        gateway_class: unknown(),
        gateway: unknown(),
        cert_manager: has_certificates.then(unknown),
        issuer: has_certificates.then(unknown),
        certificate: has_certificates.then(unknown),
        hubble,
    }
}

fn kubernetes(
    cluster: &Cluster,
    probed: &Probed<KubernetesFacts>,
    nodes: &[NodeObservation],
    etcd: &Finding,
) -> Finding {
    let error = match probed {
        Ok(facts) => return Finding::good(format!("{} answers", facts.server)),
        Err(error) if error.is_silence() => error,
        Err(error) => {
            return Finding::unknown(
                error.to_string(),
                "the kubeconfig: `--kubeconfig`, else `KUBECONFIG`, else that of a server by `ssh root@…`",
            );
        }
    };
    // An API server runs in k3s on a server, and k3s ends where etcd has no leader.
    let is_server = |name| cluster.nodes.iter().any(|node| node.name == name && node.role == Role::Server);
    let mut servers = nodes.iter().filter(|node| is_server(node.name.clone())).peekable();
    if servers.peek().is_some() && servers.all(is_down) {
        return Finding::follows(format!("{error}; k3s runs on no server"));
    }
    if etcd.is_caused_by(Cause::EtcdNoLeader) {
        return Finding::follows(format!("{error}; see etcd"));
    }
    Finding::wrong(Cause::ApiServerSilent, error.to_string(), "`journalctl -u k3s` on the servers")
}

/// The members of etcd, by what their own servers and Kubernetes say.
fn etcd(cluster: &Cluster, facts: &Facts, nodes: &[NodeObservation]) -> Finding {
    let servers: Vec<_> = cluster
        .nodes
        .iter()
        .zip(facts.nodes.iter().zip(nodes))
        .filter(|(node, _)| node.role == Role::Server)
        .collect();
    let members: Vec<(&str, Option<EtcdFacts>)> = servers
        .iter()
        .map(|(node, (probed, _))| {
            (node.name.as_str(), probed.as_ref().and_then(|probed| probed.as_ref().ok()?.etcd))
        })
        .collect();
    let journal = |name: &str| format!("`journalctl -u k3s --grep etcd` on {name}");
    let all = members.len();
    let led = members.iter().filter(|(_, etcd)| etcd.is_some_and(|etcd| etcd.has_leader)).count();
    if let Some((name, _)) = members.iter().find(|(_, etcd)| etcd.is_some_and(|etcd| !etcd.has_leader)) {
        let what = format!("{name} sees no leader: {led} of {all} members take part in decisions");
        return Finding::wrong(Cause::EtcdNoLeader, what, format!("{}; docs/recovery.md", journal(name)))
            .of_object(format!("etcd on {name}"));
    }
    let silent = servers.iter().zip(&members).find(|(_, (_, etcd))| etcd.is_none());
    if let Some(((_, (_, found)), (name, _))) = silent {
        if is_down(found) {
            return Finding::follows(format!("{led} of {all} members take part; see {name}"));
        }
        if !found.host.as_ref().is_some_and(|host| host.answers.is_good()) {
            return Finding::follows(format!("{name} did not answer"));
        }
        let what = format!("etcd on {name} does not answer, {led} of {all} members take part");
        return Finding::wrong(Cause::EtcdMemberLost, what, journal(name))
            .of_object(format!("etcd on {name}"));
    }
    for (name, etcd) in &members {
        if etcd.is_some_and(|etcd| etcd.is_learner) || is_not_voter(facts, name) {
            let what = format!("the member on {name} is a learner: it has no vote yet");
            return Finding::wrong(Cause::EtcdLearner, what, journal(name)).of_object(format!("Node {name}"));
        }
        if let Some(fsync) = etcd.and_then(|etcd| etcd.fsync).filter(|fsync| *fsync > SLOW_FSYNC) {
            let what = format!("the disk of {name} takes {fsync} ms on average for a write of etcd");
            let look_at =
                format!("`iostat -x 2` on {name}: what else writes to the disk of /var/lib/rancher");
            return Finding::wrong(Cause::EtcdSlow, what, look_at).of_object(format!("etcd on {name}"));
        }
    }
    Finding::good(if all == 1 { "1 member".to_owned() } else { format!("{all} members, with a leader") })
}

fn is_down(node: &NodeObservation) -> bool {
    node.host
        .as_ref()
        .is_some_and(|host| host.answers.is_wrong() || host.k3s.is_caused_by(Cause::K3sNotRunning))
}

/// k3s writes a node's vote into a condition (k3s-io/k3s, `pkg/etcd`).
fn is_not_voter(facts: &Facts, name: &str) -> bool {
    let node = facts.kubernetes.as_ref().ok().and_then(|facts| facts.nodes.get(name));
    node.and_then(|node| node.conditions.get("EtcdIsVoter")).is_some_and(|voter| !voter.is_true)
}

/// A Helm chart, which k3s installs by a job. `None` where it is installed.
pub(super) fn chart(found: &ServiceFacts, (name, manifest): (&str, &str)) -> Option<Finding> {
    let charts = match &found.charts {
        Ok(Lookup::Found(charts)) => charts,
        Ok(Lookup::NoObject | Lookup::NoKind) => {
            let look_at = "`journalctl -u k3s --grep helm` on a server: k3s brings the kind itself";
            let what = "the cluster does not know the kind HelmChart";
            let definition = "CustomResourceDefinition helmcharts.helm.cattle.io";
            return Some(Finding::wrong(Cause::KindNotInstalled, what, look_at).of_object(definition));
        }
        Err(error) => return Some(pods::unread(error)),
    };
    let object = format!("HelmChart kube-system/{name}");
    let Some(chart) = charts.get(name) else {
        let what = format!("the HelmChart {name} is missing");
        let look_at = format!("`kubectl -n kube-system get addons`: whether manifests/{manifest} is applied");
        return Some(Finding::wrong(Cause::ChartMissing, what, look_at).of_object(object));
    };
    if chart.is_failing {
        let said = chart.last_line.as_deref().unwrap_or("its job fails and has no log");
        let job = chart.job.clone().unwrap_or_else(|| format!("helm-install-{name}"));
        let look_at = format!("`kubectl -n kube-system logs job/{job}`");
        let what = format!("{name} is not installed: {said}");
        return Some(Finding::wrong(Cause::ChartFailed, what, look_at).of_object(object));
    }
    if chart.is_installed {
        return None;
    }
    let look_at = format!("`kubectl -n kube-system get job,pod -l helmcharts.helm.cattle.io/chart={name}`");
    Some(Finding::unknown(format!("{name} is being installed"), look_at))
}

/// The manifests that k3s applies, as its events say.
fn manifests(found: &ServiceFacts, charts: &Finding) -> Finding {
    let failed = match &found.failed_addons {
        Ok(failed) => failed,
        Err(error) => return pods::unread(error),
    };
    let Some((name, message)) = failed.iter().next() else { return Finding::good("applied") };
    if !charts.is_good()
        && ["no matches for kind", "could not find the requested resource"]
            .iter()
            .any(|words| message.contains(words))
    {
        return Finding::follows(format!("{name} is not applied; see charts"));
    }
    Finding::wrong(
        Cause::ManifestNotApplied,
        format!("{name} is not applied: {message}"),
        format!("`kubectl -n kube-system describe addon {name}`"),
    )
    .of_object(format!("Addon kube-system/{name}"))
}

fn deployment(
    all: &Probed<Vec<PodFacts>>,
    namespace: &str,
    name: &str,
    charts: &Finding,
    is_meant: impl Fn(&PodFacts) -> bool,
) -> Finding {
    let all = match all {
        Ok(all) => all,
        Err(error) => return pods::unread(error),
    };
    let meant: Vec<_> = all.iter().filter(|pod| is_meant(pod) && !pod.is_over).collect();
    pods::all_ready(&meant, || {
        if charts.is_good() {
            let look_at = format!("`kubectl -n {namespace} describe deployment {name}`");
            Finding::wrong(Cause::PodMissing, "it has no pod", look_at)
                .of_object(format!("Deployment {namespace}/{name}"))
        } else {
            Finding::follows("no pod; see charts")
        }
    })
}

fn has_label(labels: &Labels, key: &str, value: &str) -> bool {
    labels.get(key).is_some_and(|found| found == value)
}
