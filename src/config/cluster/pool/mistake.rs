//! What can be wrong with pools.

use std::net::IpAddr;

use thiserror::Error;

use super::range::PoolRange;
use crate::config::cluster::name::Label;
use crate::config::diagnostics::Mistake;

#[derive(Debug, Error)]
pub(super) enum PoolMistake {
    #[error("the cluster has no pool of external addresses")]
    NoPool,
    #[error("the pool has no range")]
    NoRange,
    #[error("two pools have the name `{name}`")]
    DuplicateName { name: Label },
    #[error("`{first}-{last}` mixes IPv4 and IPv6")]
    MixedFamilies { first: IpAddr, last: IpAddr },
    #[error("the range ends at {last}, before its first address {first}")]
    Backwards { first: IpAddr, last: IpAddr },
    #[error("the range `{range}` of a pool overlaps the range `{other}`")]
    Overlap { range: PoolRange, other: PoolRange },
    #[error("the pool is announced by BGP, but there is no `[bgp]`")]
    NoBgp,
    #[error("a pool that is announced in the nodes' network has no routers")]
    RoutersOfL2,
    #[error("the cluster has no router `{name}`")]
    UnknownRouter { name: String, nearest: Option<String> },
    #[error("no pool is announced to the router `{name}`")]
    IdleRouter { name: Label },
    #[error("`service-label` has {count} labels")]
    LabelCount { count: usize },
    #[error("`{text}` is not a {what} of a Kubernetes label")]
    Label { text: String, what: &'static str },
    #[error(
        "the pools `{first}` and `{second}` are announced in different ways, but every service may use both"
    )]
    Ambiguous { first: Label, second: Label },
    #[error(
        "two pools are for services with the label `{key}: {value}`, but they are announced in different ways"
    )]
    AmbiguousLabel { key: String, value: String },
    #[error("the pool has IPv6 addresses, but the cluster has none")]
    Ipv6,
}

impl Mistake for PoolMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::NoPool => "add `[bgp]` with a `pool` and a router that speaks BGP, or a `[[pool]]` with free addresses of the \
                             nodes' network, which needs no such router"
                .to_owned(),
            Self::NoRange => {
                "write a range such as `172.16.10.200-172.16.10.219` or `10.200.200.0/24`".to_owned()
            }
            Self::DuplicateName { .. } => {
                "write another name: the `pool` of `[bgp]` is named after the cluster".to_owned()
            }
            Self::MixedFamilies { .. } => "write two addresses of the same family".to_owned(),
            Self::Backwards { first, last } => format!("write `{last}-{first}`"),
            Self::Overlap { .. } => "write ranges that have no address in common".to_owned(),
            Self::NoBgp => "add `[bgp]` with a router, or write `announce = \"l2\"`".to_owned(),
            Self::RoutersOfL2 => "remove `routers`, or write `announce = \"bgp\"`".to_owned(),
            Self::UnknownRouter { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::UnknownRouter { .. } => "write the `name` of a `[[bgp.router]]`".to_owned(),
            Self::IdleRouter { .. } => {
                "remove the router, or add its name to `routers` of a `[[pool]]`".to_owned()
            }
            Self::LabelCount { .. } => {
                "write one key and one value, such as `{ \"example.org/pool\" = \"lan\" }`".to_owned()
            }
            Self::Label { .. } => "write at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends; a \
                                   key may begin with a domain and `/`"
                .to_owned(),
            Self::Ambiguous { second, .. } => {
                format!("give `{second}` a `service-label`: only services with this label then use it")
            }
            Self::AmbiguousLabel { .. } => "write another label for one of them".to_owned(),
            Self::Ipv6 => "remove the range, or write the other keys of a dual-stack cluster: those that end in `-ipv6`".to_owned(),
        };
        Some(instead)
    }
}
