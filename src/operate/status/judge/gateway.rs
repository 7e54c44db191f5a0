//! The gateway: its class, its address, and the page that is served through it.

use std::net::IpAddr;

use super::pods;
use crate::common::certificate::CertificateFault;
use crate::config::cluster::{Cluster, Domain, Gateway};
use crate::config::written::Issuer;
use crate::operate::status::error::ProbeError;
use crate::operate::status::facts::{
    Condition, Conditions, GatewayFacts, GatewayLookups, Lookup, PageFacts, Probed, RouterFacts, ServiceFacts,
};
use crate::operate::status::finding::{Cause, Finding};
use crate::operate::status::observation::RouterObservation;
use crate::render::manifests::gateway::{certificate, service};

/// Cilium's operator looks for the kinds of the Gateway API once, when it starts.
const RESTART_OPERATOR: &str = "`kubectl -n kube-system rollout restart deployment cilium-operator`: it looks for \
                                the kinds of the Gateway API when it starts";
/// The condition in which Cilium says why a service has no address.
const ADDRESS_CONDITION: &str = "cilium.io/IPAMRequestSatisfied";

/// A finding by its name on the screen.
pub(super) type NamedFinding<'a> = (&'a str, &'a Finding);

/// Returns what is not as it should be as a consequence of the first of `causes` that is not good, if there is one.
pub(super) fn follows_from(causes: &[NamedFinding<'_>], what: &str) -> Option<Finding> {
    let (name, _) = causes.iter().find(|(_, finding)| {
        matches!(finding, Finding::Wrong { .. } | Finding::Unknown { look_at: None, .. })
    })?;
    Some(Finding::follows(format!("{what}; see {name}")))
}

/// `Ok` where the condition is true, else what it says, if it is there at all.
pub(super) fn check<'a>(conditions: &'a Conditions, kind: &str) -> Result<(), Option<&'a Condition>> {
    match conditions.get(kind) {
        Some(condition) if condition.is_true => Ok(()),
        condition => Err(condition),
    }
}

pub(super) fn class(found: &ServiceFacts, causes: &[NamedFinding<'_>]) -> Finding {
    let conditions = match &found.gateway_class {
        Ok(Lookup::Found(conditions)) => conditions,
        Ok(Lookup::NoKind) => {
            return Finding::wrong(
                Cause::KindNotInstalled,
                "the Gateway API is not installed: the cluster does not know GatewayClass",
                "`kubectl -n kube-system describe addon 00-gateway-api-crds`: k3s applies manifests/00-gateway-api-crds",
            )
            .of_object("CustomResourceDefinition gatewayclasses.gateway.networking.k8s.io");
        }
        Ok(Lookup::NoObject) => {
            return follows_from(causes, "not there").unwrap_or_else(|| {
                Finding::wrong(Cause::ObjectMissing, "the GatewayClass cilium is missing", RESTART_OPERATOR)
            });
        }
        Err(error) => return pods::unread(error),
    };
    let what = match check(conditions, "Accepted") {
        Ok(()) => return Finding::good("accepted"),
        Err(Some(condition)) if condition.reason != "Pending" => {
            format!("not accepted: {}", condition.words())
        }
        // The API server itself sets the reason Pending when the object is made.
        Err(_) => "not accepted: no controller has looked at it yet".to_owned(),
    };
    follows_from(causes, &what).unwrap_or_else(|| {
        Finding::wrong(Cause::NotAccepted, what, RESTART_OPERATOR).of_object("GatewayClass cilium")
    })
}

/// Returns the finding to show for several: the first that is wrong, else the first that is unknown. Where all are good,
/// their texts are joined.
pub(super) fn worst(findings: &[Finding]) -> Finding {
    let not_good = findings.iter().find(|finding| finding.is_wrong());
    let not_good = not_good.or_else(|| findings.iter().find(|finding| !finding.is_good()));
    if let Some(finding) = not_good {
        return finding.clone();
    }
    let texts: Vec<_> = findings
        .iter()
        .filter_map(|finding| match finding {
            Finding::Good { what } => Some(what.as_str()),
            _ => None,
        })
        .collect();
    Finding::good(texts.join("; "))
}

pub(super) fn gateway(gateway: &Gateway, found: &GatewayLookups, causes: &[NamedFinding<'_>]) -> Finding {
    let name = &gateway.name;
    let facts = match &found.gateway {
        Ok(Lookup::Found(facts)) => facts,
        Ok(Lookup::NoObject | Lookup::NoKind) => {
            return follows_from(causes, "not there").unwrap_or_else(|| {
                let look_at =
                    "`kubectl -n kube-system describe addon 50-gateway`: k3s applies manifests/50-gateway.yaml";
                Finding::wrong(Cause::ObjectMissing, format!("the Gateway gateway/{name} is missing"), look_at)
            });
        }
        Err(error) => return pods::unread(error),
    };
    let Err(condition) = check(&facts.conditions, "Programmed") else { return address(gateway, facts) };
    let what = match condition {
        Some(condition) if condition.reason != "Pending" => format!("not programmed: {}", condition.words()),
        _ => "not programmed: no controller has looked at it yet".to_owned(),
    };
    if let Some(finding) = follows_from(causes, &what) {
        return finding;
    }
    // The gateway says only that it waits: its service says for what.
    if let Ok(Lookup::Found(conditions)) = &found.service
        && let Err(Some(condition)) = check(conditions, ADDRESS_CONDITION)
    {
        let look_at = match condition.reason.as_str() {
            "no_pool" => {
                "`kubectl get ciliumloadbalancerippool`: the manifest whose name starts with 30 has the pool"
            }
            "pool_selector_mismatch" => {
                "`kubectl describe ciliumloadbalancerippool`: `serviceSelector` of the pool with the gateway's address"
            }
            _ => "`kubectl get service -A`: which service has the address",
        };
        return Finding::wrong(
            Cause::AddressNotAssigned,
            format!("it has no address: {}", condition.words()),
            look_at,
        )
        .of_object(format!("Service gateway/{}", service(gateway)));
    }
    Finding::wrong(Cause::NotProgrammed, what, format!("`kubectl -n gateway describe gateway {name}`"))
        .of_object(format!("Gateway gateway/{name}"))
}

fn address(gateway: &Gateway, facts: &GatewayFacts) -> Finding {
    let wanted: Vec<_> = gateway.address.each().collect();
    let has = |address: &IpAddr| facts.addresses.iter().any(|found| found.parse() == Ok(*address));
    let listed = wanted.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    if wanted.iter().all(has) {
        return Finding::good(format!("programmed at {listed}"));
    }
    let found = match facts.addresses.as_slice() {
        [] => "no address".to_owned(),
        addresses => addresses.join(", "),
    };
    let look_at =
        "`kubectl get ciliumloadbalancerippool` and `kubectl get service -A`: another service may have it";
    Finding::wrong(Cause::OtherAddress, format!("it has {found}, not {listed}"), look_at)
        .of_object(format!("Gateway gateway/{}", gateway.name))
}

/// `None` where no page is served, or none was asked for. `causes` are the gateway and its certificate, where Kubernetes
/// said something about them.
pub(super) fn hubble(
    cluster: &Cluster,
    page: Option<&Probed<PageFacts>>,
    causes: Option<(&Finding, Option<&Finding>)>,
) -> Option<Finding> {
    let (host, page) = cluster.hubble.as_ref().zip(page)?;
    let follows = page.as_ref().err().zip(causes).and_then(|(error, (gateway, certificate))| {
        let certificate = certificate.map(|certificate| ("certificate", certificate));
        // Without a certificate the gateway has no HTTPS listener.
        let gateway = (!matches!(error, ProbeError::Untrusted { .. })).then_some(("gateway", gateway));
        let causes: Vec<_> = gateway.into_iter().chain(certificate).collect();
        follows_from(&causes, &error.to_string())
    });
    Some(follows.unwrap_or_else(|| hubble_page(cluster, host, page)))
}

/// A gateway that is silent because no router leads to it is no cause of its own.
pub(super) fn follow_routers(
    cluster: &Cluster,
    hubble: &mut Finding,
    routers: &[RouterObservation],
    probed: &[Option<Probed<RouterFacts>>],
) {
    let Finding::Wrong { what, cause: Cause::GatewaySilent, .. } = hubble else { return };
    let serving = cluster.hubble.as_ref().and_then(|host| cluster.serving(host));
    let Some((gateway, _)) = serving else { return };
    let address = IpAddr::from(gateway.address.v4());
    let has_no_route = |(router, probed): (&RouterObservation, &Option<Probed<RouterFacts>>)| match probed {
        Some(Ok(facts)) => facts.next_hops.get(&address).is_none_or(Vec::is_empty),
        _ => router.answers.as_ref().is_some_and(Finding::is_wrong),
    };
    if !routers.is_empty() && routers.iter().zip(probed).all(has_no_route) {
        *hubble = Finding::follows(format!("{what}; see the routers"));
    }
}

fn hubble_page(cluster: &Cluster, host: &Domain, probed: &Probed<PageFacts>) -> Finding {
    let Some((gateway, _)) = cluster.serving(host) else { return Finding::follows("no gateway serves it") };
    let address = gateway.address.v4();
    let scheme = if gateway.has_certificate() { "https" } else { "http" };
    match probed {
        Ok(PageFacts { status: status @ 200..=399 }) => {
            Finding::good(format!("{scheme}://{host} answers {status}"))
        }
        Ok(PageFacts { status: 404 }) => Finding::wrong(
            Cause::PageRefused,
            format!("{scheme}://{host} answers 404: no route of the gateway has this host"),
            "`kubectl -n gateway describe httproute hubble-ui`",
        )
        .of_object("HTTPRoute gateway/hubble-ui"),
        Ok(PageFacts { status }) => Finding::wrong(
            Cause::PageRefused,
            format!("{scheme}://{host} answers {status}: the gateway reaches no pod behind it"),
            "`kubectl -n kube-system get pods -l k8s-app=hubble-ui`",
        )
        .of_object("Deployment kube-system/hubble-ui"),
        Err(ProbeError::Untrusted { fault, .. }) => Finding::wrong(
            Cause::Untrusted,
            format!("its certificate {fault}"),
            certificate_look_at(gateway, fault),
        )
        .of_object(format!("Secret gateway/{}", certificate(gateway))),
        Err(error) if error.is_silence() => Finding::wrong(
            Cause::GatewaySilent,
            format!("{address}: {error}"),
            format!(
                "`traceroute {address}`: packets of this machine have to go through a router of the cluster"
            ),
        ),
        Err(error) => Finding::unknown(error.to_string(), "this machine's network and certificates"),
    }
}

fn certificate_look_at(gateway: &Gateway, fault: &CertificateFault) -> String {
    let look_at = match fault {
        CertificateFault::UnknownIssuer if gateway.issuer == Issuer::Staging => {
            "`issuer` in `[certificates]`: browsers do not trust certificates of the staging issuer"
        }
        CertificateFault::UnknownIssuer if gateway.issuer == Issuer::SelfSigned => {
            "`kubectl -n cert-manager get secret cluster-ca -o jsonpath='{.data.ca\\.crt}' | base64 -d`: install this \
             certificate on this machine"
        }
        CertificateFault::UnknownIssuer if gateway.issuer == Issuer::Ca => {
            "whether this machine trusts the authority of `[certificates.ca]`"
        }
        CertificateFault::UnknownIssuer => {
            "`kubectl -n gateway describe certificate`: the Secret may still hold a certificate of the staging issuer"
        }
        CertificateFault::Expired => "the certificate above, and this machine's clock",
        CertificateFault::NotYetValid => "this machine's clock",
        _ => {
            return format!(
                "`kubectl -n gateway describe gateway {}`, and which device answers at the gateway's address",
                gateway.name
            );
        }
    };
    look_at.to_owned()
}
