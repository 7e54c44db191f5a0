//! A router: whether it lets itself be asked, and where it sends what is for the gateway.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::cluster::{Cluster, Platform, Router, RouterAccess, RouterosSyntax};
use crate::status::facts::{Answer, RouterFacts};
use crate::status::failure::{CertificateFault, ProbeError};
use crate::status::observation::Finding;

/// A router that cannot be asked may route well all the same: it is unknown, not wrong.
pub(super) fn answers(router: &Router, answer: &Answer<RouterFacts>) -> Finding {
    match answer {
        Ok(_) => match &router.access {
            RouterAccess::Rest(rest) => {
                let url = rest.url.as_str().trim_end_matches('/');
                Finding::good(format!("{url}, as `{}`", rest.user))
            }
            RouterAccess::Ssh(destination) => Finding::good(format!("ssh {destination}")),
            RouterAccess::Unsaid | RouterAccess::Off => Finding::good("answers"),
        },
        Err(failure) => Finding::unknown(failure.to_string(), look_at(router, failure)),
    }
}

fn look_at(router: &Router, failure: &ProbeError) -> String {
    let name = &router.name;
    match (&router.access, failure) {
        (RouterAccess::Unsaid, _) => {
            format!("`[bgp.router.status]` of {name}: add `user = …`, or `enable = false`")
        }
        (_, ProbeError::Untrusted { fault, fingerprint: Some(fingerprint) }) => match fault {
            CertificateFault::OtherFingerprint => format!(
                "`/certificate/print detail` on {name}: the one that was shown has the fingerprint {fingerprint}"
            ),
            _ => format!(
                "`[bgp.router.status]` of {name}: add `fingerprint = \"{fingerprint}\"`, \
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
            let shell = if router.platform == Platform::Bird { "birdc" } else { "vtysh" };
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

/// The gateway's address is announced by every node.
pub(super) fn next_hops(cluster: &Cluster, router: &Router, answer: &Answer<RouterFacts>) -> Finding {
    let Ok(facts) = answer else { return Finding::unknown_too("the router was not heard") };
    let (address, name) = (cluster.gateway.address, &router.name);
    let node_at =
        |hop: &IpAddr| cluster.nodes.iter().find(|node| IpAddr::from(node.address.value.addr()) == *hop);
    if let Some(stranger) = facts.next_hops.iter().find(|hop| node_at(hop).is_none()) {
        return Finding::wrong(
            format!("{address} goes to {stranger}, which is no node"),
            format!("{name}: who announces {address}, or a static route"),
        );
    }
    let taken: BTreeSet<_> = facts.next_hops.iter().filter_map(node_at).map(|node| &node.name).collect();
    let missing: Vec<_> =
        cluster.nodes.iter().map(|node| &node.name).filter(|node| !taken.contains(node)).collect();
    let listed = |names: &mut dyn Iterator<Item = &str>| names.collect::<Vec<_>>().join(", ");
    let taken_names = listed(&mut taken.iter().map(|node| node.as_str()));
    if taken.is_empty() {
        Finding::wrong(
            format!("there is no way to {address}"),
            format!(
                "the sessions of {name}, and the gateway: nodes announce {address} once it is programmed"
            ),
        )
    } else if !missing.is_empty() && taken.len() < most_paths(cluster, router.platform) {
        let missing = listed(&mut missing.iter().map(|node| node.as_str()));
        Finding::wrong(
            format!("{address} goes to {taken_names}, not to {missing}"),
            format!("the session of {name} with {missing}"),
        )
    } else {
        Finding::good(format!("{address} goes to {taken_names}"))
    }
}

/// Before 7.22 `RouterOS` takes one next hop at a time.
fn most_paths(cluster: &Cluster, platform: Platform) -> usize {
    match platform {
        Platform::Routeros(syntax) if syntax < RouterosSyntax::Multipath => 1,
        _ => cluster.nodes.len(),
    }
}
