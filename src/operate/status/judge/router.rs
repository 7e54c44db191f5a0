//! A router: whether it answers, and where it sends packets for the gateway.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::gateway::{follows_from, worst};
use crate::common::certificate::CertificateFault;
use crate::config::cluster::{Cluster, Label, Node, Router, RouterAccess};
use crate::config::platforms::StatusSource;
use crate::operate::status::error::ProbeError;
use crate::operate::status::facts::{Probed, RouterFacts};
use crate::operate::status::finding::{Cause, Finding};
use crate::operate::status::observation::SessionObservation;

/// A router that does not answer may still route: that is unknown, not wrong. If no node has a session with it either, it is
/// the cause of that.
pub(super) fn answers(
    router: &Router,
    probed: &Probed<RouterFacts>,
    sessions: &mut [SessionObservation],
) -> Finding {
    match probed {
        Ok(_) => match &router.access {
            RouterAccess::Rest(rest) => {
                let url = rest.url.as_str().trim_end_matches('/');
                Finding::good(format!("{url}, as `{}`", rest.user))
            }
            RouterAccess::Ssh(destination) => Finding::good(format!("ssh {destination}")),
            RouterAccess::NoUser | RouterAccess::Off => Finding::good("answers"),
        },
        Err(failure)
            if (failure.is_silence() || matches!(failure, ProbeError::Unexpected { .. }))
                && sessions.iter().all(|session| session.finding.is_caused_by(Cause::NoSession)) =>
        {
            for session in sessions {
                if let Finding::Wrong { what, .. } = &session.finding {
                    session.finding = Finding::follows(what);
                }
            }
            let what = format!("no node has a session with it, and asking it failed: {failure}");
            let look_at = format!("`ping {}`; then {}", router.address.v4(), look_at(router, failure));
            Finding::wrong(Cause::RouterSilent, what, look_at)
        }
        Err(failure) => Finding::unknown(failure.to_string(), look_at(router, failure)),
    }
}

fn look_at(router: &Router, failure: &ProbeError) -> String {
    let name = &router.name;
    match (&router.access, failure) {
        (RouterAccess::NoUser, _) => {
            format!("`[bgp.router.status]` of {name}: add `user = …`, or `enable = false`")
        }
        (_, ProbeError::Untrusted { fault, fingerprint: Some(fingerprint) }) => match fault {
            CertificateFault::OtherFingerprint => format!(
                "`/certificate/print detail` on {name}: it shows a certificate with the fingerprint {fingerprint:x}"
            ),
            _ => format!(
                "`[bgp.router.status]` of {name}: add `fingerprint = \"{fingerprint:x}\"`, \
                 if `/certificate/print detail` on {name} shows the same"
            ),
        },
        (RouterAccess::Rest(rest), ProbeError::Skipped { .. }) => match &rest.password {
            Some(_) => "`rk1 secrets`".to_owned(),
            None => {
                format!("`password` in `[bgp.router.status]` of {name}: name a secret, or set the variable")
            }
        },
        (RouterAccess::Rest(rest), ProbeError::Denied { .. }) => {
            format!("`/user/print` on {name}: `{}` needs the policies `read` and `rest-api`", rest.user)
        }
        (RouterAccess::Rest(rest), _) => {
            let service = if rest.url.scheme() == "http" { "www" } else { "www-ssl" };
            format!("`/ip/service/print` on {name}: `{service}` has to be enabled, and open to this machine")
        }
        (RouterAccess::Ssh(_), ProbeError::Skipped { .. }) => "this machine's `ssh`".to_owned(),
        (RouterAccess::Ssh(destination), ProbeError::Unexpected { .. }) => {
            let shell = match router.platform.status {
                StatusSource::Ssh { shell, .. } => shell.program(),
                StatusSource::RestApi => "its REST API",
            };
            format!(
                "`ssh {destination}`, and `{shell}` there: whether it runs, and whether that user may use it"
            )
        }
        (RouterAccess::Ssh(destination), _) => {
            format!("`ssh {destination}`: it has to work without a password")
        }
        (RouterAccess::Off, _) => format!("{name}"),
    }
}

/// Each of the gateway's addresses is announced by every node. What is missing follows from a session that is down, or from
/// a gateway without an address, where there is one.
pub(super) fn next_hops(
    cluster: &Cluster,
    router: &Router,
    probed: &Probed<RouterFacts>,
    sessions: &[SessionObservation],
    gateway: Option<&Finding>,
) -> Finding {
    let Ok(facts) = probed else { return Finding::follows("the router did not answer") };
    let to = |address| {
        let hops = facts.next_hops.get(&address).map(Vec::as_slice).unwrap_or_default();
        next_hops_to(cluster, router, address, hops, sessions, gateway)
    };
    let findings: Vec<_> = cluster
        .gateways
        .iter()
        .filter(|gateway| {
            let pool = cluster.pool_with(gateway.address.v4().into());
            pool.is_some_and(|pool| pool.routers.contains(&router.name))
        })
        .filter_map(|gateway| gateway.address.each().map(to).reduce(Finding::beside_ipv6))
        .collect();
    if findings.is_empty() { Finding::good("no gateway is announced to it") } else { worst(&findings) }
}

fn next_hops_to(
    cluster: &Cluster,
    router: &Router,
    address: IpAddr,
    hops: &[IpAddr],
    sessions: &[SessionObservation],
    gateway: Option<&Finding>,
) -> Finding {
    let name = &router.name;
    if let Some(stranger) = hops.iter().find(|hop| node_at(cluster, hop).is_none()) {
        return Finding::wrong(
            Cause::ForeignNextHop,
            format!("{address} goes to {stranger}, which is not a node"),
            format!("a static route on {name}, or another device that announces {address}"),
        );
    }
    let taken: BTreeSet<_> = hops.iter().filter_map(|hop| node_at(cluster, hop)).collect();
    let missing = cluster.nodes.iter().map(|node| &node.name).filter(|node| !taken.contains(node));
    let listed = |names: &[&Label]| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    let (missing, taken) = (missing.collect::<Vec<_>>(), taken.iter().copied().collect::<Vec<_>>());
    if missing.is_empty() || taken.len() >= most_paths(cluster, router) {
        return Finding::good(format!("{address} goes to {}", listed(&taken)));
    }
    let is_down =
        |node: &&Label| sessions.iter().any(|session| session.node == **node && !session.finding.is_good());
    let (what, cause) = if taken.is_empty() {
        (format!("{name} has no route to {address}"), Cause::NoNextHop)
    } else {
        (format!("{address} goes to {}, not to {}", listed(&taken), listed(&missing)), Cause::MissingNextHop)
    };
    if let Some(finding) =
        gateway.filter(|_| taken.is_empty()).and_then(|gateway| follows_from(&[("gateway", gateway)], &what))
    {
        finding
    } else if missing.iter().all(is_down) {
        Finding::follows(format!("{what}; see the sessions"))
    } else {
        let look_at = format!("the routes of {name} to {address}, and what its filter rejects");
        Finding::wrong(cause, what, look_at)
    }
}

/// The node that has an address, of either family.
fn node_at<'a>(cluster: &'a Cluster, address: &IpAddr) -> Option<&'a Label> {
    let has_address = |node: &&Node| node.address.addresses().each().any(|own| own == *address);
    cluster.nodes.iter().find(has_address).map(|node| &node.name)
}

/// The next hops that a router installs for one address at most.
fn most_paths(cluster: &Cluster, router: &Router) -> usize {
    if router.installs_several_next_hops() { cluster.nodes.len() } else { 1 }
}
