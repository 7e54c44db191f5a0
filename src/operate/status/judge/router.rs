//! A router: whether it lets itself be asked, and where it sends what is for the gateway.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::certificate::CertificateFault;
use crate::config::cluster::{Cluster, Label, Node, Router, RouterAccess};
use crate::config::platforms::StatusSource;
use crate::operate::status::facts::{Answer, RouterFacts};
use crate::operate::status::failure::ProbeError;
use crate::operate::status::observation::Finding;

/// A router that cannot be asked may route well all the same: it is unknown, not wrong.
pub(super) fn answers(router: &Router, answer: &Answer<RouterFacts>) -> Finding {
    match answer {
        Ok(_) => match &router.access {
            RouterAccess::Rest(rest) => {
                let url = rest.url.as_str().trim_end_matches('/');
                Finding::good(format!("{url}, as `{}`", rest.user))
            }
            RouterAccess::Ssh(destination) => Finding::good(format!("ssh {destination}")),
            RouterAccess::NoUser | RouterAccess::Off => Finding::good("answers"),
        },
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
                "`/certificate/print detail` on {name}: the one that was shown has the fingerprint {fingerprint:x}"
            ),
            _ => format!(
                "`[bgp.router.status]` of {name}: add `fingerprint = \"{fingerprint:x}\"`, \
                 if `/certificate/print detail` on it has the same"
            ),
        },
        (RouterAccess::Rest(rest), ProbeError::NotAsked { .. }) => match &rest.password {
            Some(_) => "`rk1 secrets`".to_owned(),
            None => format!("`password` in `[bgp.router.status]` of {name}, or that variable"),
        },
        (RouterAccess::Rest(rest), ProbeError::Denied { .. }) => {
            format!("`/user/print` on {name}: `{}` needs the policies `read` and `rest-api`", rest.user)
        }
        (RouterAccess::Rest(rest), _) => {
            let service = if rest.url.scheme() == "http" { "www" } else { "www-ssl" };
            format!("`/ip/service/print` on {name}: `{service}` has to be on, and open to this machine")
        }
        (RouterAccess::Ssh(_), ProbeError::NotAsked { .. }) => "this machine's `ssh`".to_owned(),
        (RouterAccess::Ssh(destination), ProbeError::Unexpected { .. }) => {
            let shell = match router.platform.status {
                StatusSource::Ssh { shell, .. } => shell.program(),
                StatusSource::RestApi => "its REST API",
            };
            format!(
                "`ssh {destination}`, and `{shell}` there: whether it runs, and whether that user may ask it"
            )
        }
        (RouterAccess::Ssh(destination), _) => {
            format!("`ssh {destination}`: the router is asked by it, without a password")
        }
        (RouterAccess::Off, _) => format!("{name}"),
    }
}

/// Each of the gateway's addresses is announced by every node.
pub(super) fn next_hops(cluster: &Cluster, router: &Router, answer: &Answer<RouterFacts>) -> Finding {
    let Ok(facts) = answer else { return Finding::unknown_too("the router was not heard") };
    let hops_to = |address: &IpAddr| facts.next_hops.get(address).map(Vec::as_slice).unwrap_or_default();
    let findings =
        cluster.gateway.address.each().map(|gateway| ways(cluster, router, gateway, hops_to(&gateway)));
    findings.reduce(Finding::beside_ipv6).unwrap_or_else(|| Finding::unknown_too("there is no gateway"))
}

fn ways(cluster: &Cluster, router: &Router, gateway: IpAddr, hops: &[IpAddr]) -> Finding {
    let name = &router.name;
    if let Some(stranger) = hops.iter().find(|hop| node_at(cluster, hop).is_none()) {
        return Finding::wrong(
            format!("{gateway} goes to {stranger}, which is no node"),
            format!("{name}: who announces {gateway}, or a static route"),
        );
    }
    let taken: BTreeSet<_> = hops.iter().filter_map(|hop| node_at(cluster, hop)).collect();
    let missing = cluster.nodes.iter().map(|node| &node.name).filter(|node| !taken.contains(node));
    let listed = |names: &[&Label]| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    let (missing, taken) = (missing.collect::<Vec<_>>(), taken.iter().copied().collect::<Vec<_>>());
    if taken.is_empty() {
        Finding::wrong(
            format!("there is no way to {gateway}"),
            format!(
                "the sessions of {name}, and the gateway: nodes announce {gateway} once it is programmed"
            ),
        )
    } else if !missing.is_empty() && taken.len() < most_paths(cluster, router) {
        let missing = listed(&missing);
        Finding::wrong(
            format!("{gateway} goes to {}, not to {missing}", listed(&taken)),
            format!("the session of {name} with {missing}"),
        )
    } else {
        Finding::good(format!("{gateway} goes to {}", listed(&taken)))
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
