//! What is not of one node or router: the API server, the gateway, its certificate and the page behind it.

use std::net::IpAddr;

use k8s_openapi::jiff::Timestamp;

use crate::certificate::CertificateFault;
use crate::config::cluster::{Cluster, Domain};
use crate::config::written::Issuer;
use crate::operate::status::Scope;
use crate::operate::status::facts::{
    Answer, CertificateFacts, Condition, Conditions, Facts, GatewayFacts, KubernetesFacts, PageFacts,
};
use crate::operate::status::failure::ProbeError;
use crate::operate::status::observation::{ClusterObservation, Finding};

const SECONDS_A_DAY: i64 = 24 * 60 * 60;
/// The operator looks for the Gateway API's definitions once, when it starts.
const OPERATOR: &str = "Cilium's operator: `kubectl -n kube-system rollout restart deployment cilium-operator`, \
                        once the definitions of the Gateway API are there";

pub(super) fn judge(cluster: &Cluster, scope: &Scope, facts: &Facts, now: Timestamp) -> ClusterObservation {
    let if_all = |judge: &dyn Fn() -> Finding| (*scope == Scope::Cluster).then(judge);
    ClusterObservation {
        kubernetes: kubernetes(&facts.kubernetes),
        gateway_class: if_all(&|| {
            of_object(&facts.kubernetes, |facts| &facts.gateway_class, OPERATOR, gateway_class)
        }),
        gateway: if_all(&|| {
            let look_at =
                "k3s: `kubectl -n kube-system get addons`, whether manifests/50-gateway.yaml is applied";
            of_object(&facts.kubernetes, |facts| &facts.gateway, look_at, |found| gateway(cluster, found))
        }),
        certificate: if_all(&|| {
            let look_at = "cert-manager: `kubectl -n cert-manager logs deployment/cert-manager`";
            of_object(
                &facts.kubernetes,
                |facts| &facts.certificate,
                look_at,
                |found| certificate(&cluster.gateway.domain, found, now),
            )
        }),
        hubble: cluster
            .hubble
            .as_ref()
            .zip(facts.page.as_ref())
            .map(|(host, page)| hubble(cluster, host, page)),
    }
}

fn kubernetes(answer: &Answer<KubernetesFacts>) -> Finding {
    match answer {
        Ok(facts) => Finding::good(format!("{} answers", facts.server)),
        Err(failure) if failure.is_silence() => {
            Finding::wrong(failure.to_string(), "k3s on the servers: `journalctl -u k3s`")
        }
        Err(failure) => Finding::unknown(
            failure.to_string(),
            "the kubeconfig: `--kubeconfig`, else `KUBECONFIG`, else that of a server by `ssh root@…`",
        ),
    }
}

/// Judges an object that Kubernetes should have.
fn of_object<T>(
    kubernetes: &Answer<KubernetesFacts>,
    object: impl Fn(&KubernetesFacts) -> &Answer<Option<T>>,
    look_at: &str,
    judge: impl Fn(&T) -> Finding,
) -> Finding {
    let Ok(kubernetes) = kubernetes else { return Finding::unknown_too("Kubernetes was not heard") };
    match object(kubernetes) {
        Ok(Some(found)) => judge(found),
        Ok(None) => Finding::wrong("there is none", look_at),
        Err(failure) => Finding::unknown(failure.to_string(), "what the kubeconfig's user may read"),
    }
}

/// `Ok` where the condition is true; what else it is, in words.
fn condition(conditions: &Conditions, name: &str, word: &str) -> Result<(), String> {
    match conditions.get(name) {
        Some(Condition { is_true: true, .. }) => Ok(()),
        Some(Condition { reason, message, .. }) => Err(format!("not {word}: {reason}: {message}")),
        None => Err(format!("not {word}: nobody has looked at it yet")),
    }
}

fn gateway_class(conditions: &Conditions) -> Finding {
    match condition(conditions, "Accepted", "accepted") {
        Ok(()) => Finding::good("accepted"),
        Err(what) => Finding::wrong(what, OPERATOR),
    }
}

fn gateway(cluster: &Cluster, facts: &GatewayFacts) -> Finding {
    let describe = "`kubectl -n gateway describe gateway shared`";
    let wanted: Vec<_> = cluster.gateway.address.each().collect();
    let has = |address: &IpAddr| facts.addresses.iter().any(|found| found.parse() == Ok(*address));
    let listed = wanted.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    if let Err(what) = condition(&facts.conditions, "Programmed", "programmed") {
        Finding::wrong(what, describe)
    } else if wanted.iter().all(has) {
        Finding::good(format!("programmed at {listed}"))
    } else {
        let found = match facts.addresses.as_slice() {
            [] => "no address".to_owned(),
            addresses => addresses.join(", "),
        };
        let look_at = "`kubectl get ciliumloadbalancerippool`: whether the address is free in the pool";
        Finding::wrong(format!("it has {found}, not {listed}"), look_at)
    }
}

fn certificate(domain: &Domain, facts: &CertificateFacts, now: Timestamp) -> Finding {
    let describe = "`kubectl -n gateway describe certificate,certificaterequest,order,challenge`";
    let days = |from: Timestamp, to: Timestamp| (to.as_second() - from.as_second()) / SECONDS_A_DAY;
    match facts.not_after {
        Some(end) if end <= now => {
            return Finding::wrong(format!("*.{domain} expired {} days ago", days(end, now)), describe);
        }
        _ => {}
    }
    if let Err(what) = condition(&facts.conditions, "Ready", "ready") {
        return Finding::wrong(what, describe);
    }
    let Some(end) = facts.not_after else {
        return Finding::wrong("ready, but without an end", describe);
    };
    let left = days(now, end);
    match facts.renewal {
        // cert-manager tries again every hour at first.
        Some(renewal) if days(renewal, now) >= 1 => Finding::wrong(
            format!("*.{domain}, {left} days left: to be renewed {} days ago", days(renewal, now)),
            describe,
        ),
        _ => Finding::good(format!("*.{domain}, {left} days left")),
    }
}

fn hubble(cluster: &Cluster, host: &Domain, answer: &Answer<PageFacts>) -> Finding {
    let address = cluster.gateway.address.v4();
    match answer {
        Ok(PageFacts { status: status @ 200..=399 }) => {
            Finding::good(format!("https://{host} answers {status}"))
        }
        Ok(PageFacts { status: 404 }) => Finding::wrong(
            format!("https://{host} answers 404: the gateway knows no such host"),
            "`kubectl -n kube-system describe httproute hubble-ui`",
        ),
        Ok(PageFacts { status }) => Finding::wrong(
            format!("https://{host} answers {status}: the gateway has nobody behind it"),
            "`kubectl -n kube-system get pods -l k8s-app=hubble-ui`",
        ),
        Err(ProbeError::Untrusted { fault, .. }) => {
            Finding::wrong(format!("its certificate {fault}"), certificate_look_at(cluster, fault))
        }
        Err(failure) if failure.is_silence() => Finding::wrong(
            format!("{address}: {failure}"),
            format!(
                "the gateway, its next hops, and whether this machine reaches {address} through a router of the cluster"
            ),
        ),
        Err(failure) => Finding::unknown(failure.to_string(), "this machine"),
    }
}

fn certificate_look_at(cluster: &Cluster, fault: &CertificateFault) -> &'static str {
    match fault {
        CertificateFault::UnknownIssuer if cluster.certificates.issuer == Issuer::Staging => {
            "`issuer` in `[certificates]`: no browser trusts what staging signs"
        }
        CertificateFault::Expired => "the certificate above, and this machine's clock",
        CertificateFault::NotYetValid => "this machine's clock",
        _ => "who answers at the gateway's address: `kubectl -n gateway describe gateway shared`",
    }
}
