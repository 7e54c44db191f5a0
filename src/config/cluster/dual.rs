//! Values that a cluster has for IPv4 and, where it is dual-stack, for IPv6 too.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use thiserror::Error;

use super::address::AddressMistake;
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::{Span, Spanned};
use crate::config::written::Text;

/// A value for IPv4 and, in a dual-stack cluster, one for IPv6. Each keeps the place where it was written; a default has
/// the place of its section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dual<V4, V6> {
    v4: Spanned<V4>,
    v6: Option<Spanned<V6>>,
}

pub type Addresses = Dual<Ipv4Addr, Ipv6Addr>;
/// Ranges, or the addresses of a host with the prefix lengths of its networks.
pub type Networks = Dual<Ipv4Net, Ipv6Net>;

impl<V4: Copy, V6: Copy> Dual<V4, V6> {
    #[must_use]
    pub fn v4(&self) -> V4 {
        self.v4.value
    }

    #[must_use]
    pub fn v6(&self) -> Option<V6> {
        self.v6.map(|v6| v6.value)
    }

    /// The value of each address family that the cluster has, IPv4 first.
    fn spanned<T: From<V4> + From<V6>>(&self) -> impl Iterator<Item = Spanned<T>> + use<T, V4, V6> {
        let v6 = self.v6.map(|v6| v6.map(T::from));
        std::iter::once(self.v4.map(T::from)).chain(v6)
    }
}

impl Addresses {
    /// The address of each family that the cluster has, IPv4 first.
    pub fn each(&self) -> impl Iterator<Item = IpAddr> + use<> {
        self.spanned().map(|address| address.value)
    }

    pub(super) fn of_family(&self, is_ipv6: bool) -> Option<Spanned<IpAddr>> {
        self.spanned().find(|address: &Spanned<IpAddr>| address.value.is_ipv6() == is_ipv6)
    }
}

impl Networks {
    /// The range of each family that the cluster has, IPv4 first.
    pub fn each(&self) -> impl Iterator<Item = IpNet> + use<> {
        self.spanned().map(|network| network.value)
    }

    /// The same, each with its place.
    pub(super) fn spanned_each(&self) -> impl Iterator<Item = Spanned<IpNet>> + use<> {
        self.spanned()
    }

    pub(super) fn of_family(&self, is_ipv6: bool) -> Option<Spanned<IpNet>> {
        self.spanned_each().find(|network| matches!(network.value, IpNet::V6(_)) == is_ipv6)
    }

    /// The addresses without their prefix lengths.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        Dual { v4: self.v4.map(|v4| v4.addr()), v6: self.v6.map(|v6| v6.map(|v6| v6.addr())) }
    }
}

/// A key that ends in `-ipv6`, and what is written there.
#[derive(Clone, Copy)]
pub(super) struct Ipv6Key<'a> {
    pub(super) table: &'static str,
    /// Where the header of the table stands.
    pub(super) header: Span,
    pub(super) name: &'static str,
    pub(super) example: &'static str,
    pub(super) text: Option<&'a Text>,
}

/// Joins the keys that come in pairs, such as `pods` and `pods-ipv6`. The IPv6 keys are all written, or none is.
#[derive(Default)]
pub(super) struct Pairs {
    /// Where an IPv6 key was written first.
    first: Option<Span>,
    missing: Vec<(Span, MissingKey)>,
}

#[derive(Debug, Error)]
#[error("`{table}` lacks `{name}`, but the cluster has IPv6 addresses elsewhere")]
struct MissingKey {
    table: &'static str,
    name: &'static str,
    example: &'static str,
}

impl Mistake for MissingKey {
    fn hint(&self) -> Option<String> {
        let Self { name, example, .. } = self;
        Some(format!("add a line such as `{name} = \"{example}\"`, or remove every key that ends in `-ipv6`"))
    }
}

impl Pairs {
    /// The IPv4 value together with the one that stands at `key`. `None` where either of them is missing or wrong, which
    /// has been noted.
    pub(super) fn join<V4, V6>(
        &mut self,
        v4: Option<Spanned<V4>>,
        key: Ipv6Key<'_>,
        parse: fn(&str) -> Result<V6, AddressMistake>,
        problems: &mut Problems,
    ) -> Option<Dual<V4, V6>> {
        let Ipv6Key { table, header, name, example, text } = key;
        let Some(text) = text else {
            self.missing.push((header, MissingKey { table, name, example }));
            return Some(Dual { v4: v4?, v6: None });
        };
        self.first = Some(self.first.map_or(text.span, |first| first.min(text.span)));
        let v6 = parsed(text, parse, problems);
        Some(Dual { v4: v4?, v6: Some(v6?) })
    }

    /// Where the first IPv6 key of a dual-stack cluster stands.
    pub(super) fn first(&self) -> Option<Span> {
        self.first
    }

    /// Notes each IPv6 key that is missing beside others.
    pub(super) fn note_missing(self, problems: &mut Problems) {
        let Some(first) = self.first else { return };
        for (header, mistake) in self.missing {
            problems.collision(header, mistake, first, "an IPv6 address");
        }
    }
}

/// The value that was written, with its place.
pub(super) fn parsed<T>(
    text: &Text,
    parse: fn(&str) -> Result<T, AddressMistake>,
    problems: &mut Problems,
) -> Option<Spanned<T>> {
    problems.take(text.span, parse(&text.value)).map(|value| Spanned::new(value, text.span))
}
