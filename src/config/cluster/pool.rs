//! `[[pool]]` and `pool` of `[bgp]`: the external addresses of services.

mod mistake;
mod range;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::address::{AddressMistake, check_special_range, parse_address, parse_range};
use super::bgp::Bgp;
use super::dual::Networks;
use super::first_use::FirstUse;
use super::k3s::is_label_text;
use super::name::Label;
use crate::common::nearest::nearest;
use crate::config::diagnostics::Problems;
use crate::config::source::{Span, Spanned};
use crate::config::written::{self, Announce, Text};

use mistake::PoolMistake;
pub use range::{PoolRange, address_like, bits};

/// Addresses that are announced in the same way, for the same services.
#[derive(Debug, Clone)]
pub struct Pool {
    pub name: Label,
    pub ranges: Vec<Spanned<PoolRange>>,
    pub announce: Announce,
    /// The routers to which it is announced. None if it is not announced by BGP.
    pub routers: Vec<Label>,
    /// The label of the services that use it. `None` if it is for all services that have the label of no other pool.
    pub service_label: Option<ServiceLabel>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceLabel {
    pub key: String,
    pub value: String,
}

/// Where the pools come from.
pub(super) struct PoolSources<'a> {
    /// The name of the cluster, which is the name of the pool in `[bgp]`.
    pub(super) cluster: Option<&'a Label>,
    pub(super) bgp: Option<&'a Bgp>,
    /// The pool in `[bgp]`.
    pub(super) of_bgp: Option<&'a Networks>,
    pub(super) has_bgp: bool,
    pub(super) written: &'a [written::Pool],
    /// The first line of the file.
    pub(super) file: Span,
}

/// Resolves all pools: at least one.
pub(super) fn resolve(sources: &PoolSources<'_>, problems: &mut Problems) -> Option<Vec<Pool>> {
    let routers: Vec<_> =
        sources.bgp.iter().flat_map(|bgp| &bgp.routers).map(|router| &router.name).collect();
    let of_bgp = sources.of_bgp.zip(sources.cluster).map(|(networks, name)| Pool {
        name: name.clone(),
        ranges: networks.spanned_each().map(|network| network.map(PoolRange::Network)).collect(),
        announce: Announce::Bgp,
        routers: routers.iter().copied().cloned().collect(),
        service_label: None,
    });
    if sources.of_bgp.is_none() && sources.written.is_empty() {
        // What is wrong with `[bgp]` has been noted.
        if !sources.has_bgp {
            problems.error(sources.file, PoolMistake::NoPool);
        }
        return None;
    }
    let resolved: Vec<_> =
        sources.written.iter().map(|pool| resolve_one(pool, sources, &routers, problems)).collect();
    note_names(sources, of_bgp.as_ref(), &resolved, problems);
    let is_complete = resolved.iter().all(Option::is_some);
    let pools: Vec<_> = of_bgp.into_iter().chain(resolved.into_iter().flatten()).collect();
    note_overlaps(&pools, problems);
    note_ambiguous(sources, &pools, problems);
    for router in sources.bgp.iter().flat_map(|bgp| &bgp.routers).filter(|_| is_complete) {
        if !pools.iter().any(|pool| pool.routers.contains(&router.name)) {
            let span = sources.written.first().map_or(sources.file, |pool| pool.span);
            problems.error(span, PoolMistake::IdleRouter { name: router.name.clone() });
        }
    }
    (is_complete && !pools.is_empty()).then_some(pools)
}

fn resolve_one(
    written: &written::Pool,
    sources: &PoolSources<'_>,
    known_routers: &[&Label],
    problems: &mut Problems,
) -> Option<Pool> {
    let name = written.name.as_ref().and_then(|text| problems.take(text.span, Label::parse(&text.value)));
    let ranges = written.ranges.as_ref().and_then(|ranges| {
        if ranges.value.is_empty() {
            problems.error(ranges.span, PoolMistake::NoRange);
            return None;
        }
        let parsed: Vec<_> = ranges.value.iter().map(|text| parse_pool_range(text, problems)).collect();
        parsed.into_iter().collect::<Option<Vec<_>>>()
    });
    let usual = if sources.has_bgp { Announce::Bgp } else { Announce::L2 };
    let announce = written.announce.map_or(usual, |announce| announce.value);
    let span = written.announce.map_or(written.span, |announce| announce.span);
    let routers = match (announce, &written.routers) {
        (Announce::Bgp, _) if !sources.has_bgp => {
            problems.error(span, PoolMistake::NoBgp);
            None
        }
        (Announce::Bgp, None) => Some(known_routers.iter().copied().cloned().collect()),
        (Announce::Bgp, Some(names)) => {
            let found: Vec<_> =
                names.value.iter().map(|name| router(name, sources, known_routers, problems)).collect();
            found.into_iter().collect()
        }
        (Announce::L2, Some(names)) => {
            problems.error(names.span, PoolMistake::RoutersOfL2);
            None
        }
        (Announce::L2, None) => Some(Vec::new()),
    };
    let service_label = match &written.service_label {
        Some(label) => Some(resolve_label(label, problems)?),
        None => None,
    };
    Some(Pool { name: name?, ranges: ranges?, announce, routers: routers?, service_label })
}

fn router(
    text: &Text,
    sources: &PoolSources<'_>,
    known: &[&Label],
    problems: &mut Problems,
) -> Option<Label> {
    let found = known.iter().find(|name| name.as_str() == text.value);
    // Routers that could not be resolved have been noted.
    if found.is_none() && sources.bgp.is_some() {
        let nearest = nearest(&text.value, known.iter().map(|name| name.as_str())).map(str::to_owned);
        problems.error(text.span, PoolMistake::UnknownRouter { name: text.value.clone(), nearest });
    }
    found.copied().cloned()
}

fn parse_pool_range(text: &Text, problems: &mut Problems) -> Option<Spanned<PoolRange>> {
    let range = match text.value.split_once('-') {
        Some((first, last)) => {
            let first = problems.take(text.span, any_address(first.trim()))?;
            let last = problems.take(text.span, any_address(last.trim()))?;
            if first.is_ipv4() != last.is_ipv4() {
                problems.error(text.span, PoolMistake::MixedFamilies { first, last });
                return None;
            }
            if last < first {
                problems.error(text.span, PoolMistake::Backwards { first, last });
                return None;
            }
            let range = PoolRange::Span { first, last };
            for network in range.networks() {
                problems.take(text.span, check_special_range(network))?;
            }
            range
        }
        None => PoolRange::Network(problems.take(text.span, any_range(&text.value))?),
    };
    Some(Spanned::new(range, text.span))
}

fn any_address(text: &str) -> Result<IpAddr, AddressMistake> {
    if text.contains(':') {
        parse_address::<Ipv6Addr>(text).map(IpAddr::V6)
    } else {
        parse_address::<Ipv4Addr>(text).map(IpAddr::V4)
    }
}

fn any_range(text: &str) -> Result<IpNet, AddressMistake> {
    if text.contains(':') {
        parse_range::<Ipv6Addr>(text).map(IpNet::V6)
    } else {
        parse_range::<Ipv4Addr>(text).map(IpNet::V4)
    }
}

fn resolve_label(written: &Spanned<written::Named<Text>>, problems: &mut Problems) -> Option<ServiceLabel> {
    let [(key, value)] = written.value.0.as_slice() else {
        problems.error(written.span, PoolMistake::LabelCount { count: written.value.0.len() });
        return None;
    };
    let mut check = |text: &Text, what, is_right: bool| {
        if !is_right {
            problems.error(text.span, PoolMistake::Label { text: text.value.clone(), what });
        }
        is_right
    };
    let (prefix, name) =
        key.value.split_once('/').map_or((None, key.value.as_str()), |(prefix, name)| (Some(prefix), name));
    let has_prefix = prefix.is_none_or(|prefix| prefix.split('.').all(|label| Label::parse(label).is_ok()));
    let is_key = check(key, "key", has_prefix && is_label_text(name));
    let is_value = check(value, "value", is_label_text(&value.value));
    (is_key && is_value).then(|| ServiceLabel { key: key.value.clone(), value: value.value.clone() })
}

fn note_names(
    sources: &PoolSources<'_>,
    of_bgp: Option<&Pool>,
    resolved: &[Option<Pool>],
    problems: &mut Problems,
) {
    let of_bgp = of_bgp.and_then(|pool| Some((&pool.name, pool.ranges.first()?.span)));
    let written = sources.written.iter().map(|written| written.name.as_ref());
    let others = written.zip(resolved).filter_map(|(text, pool)| Some((&pool.as_ref()?.name, text?.span)));
    let mut used = FirstUse::default();
    for (name, span) in of_bgp.into_iter().chain(others) {
        if let Some(first) = used.earlier(name.as_str(), span) {
            let mistake = PoolMistake::DuplicateName { name: name.clone() };
            problems.collision(span, mistake, first, "the other pool");
        }
    }
}

fn note_overlaps(pools: &[Pool], problems: &mut Problems) {
    let ranges: Vec<_> = pools.iter().flat_map(|pool| &pool.ranges).collect();
    for (position, later) in ranges.iter().enumerate() {
        if let Some(earlier) = ranges[..position].iter().find(|earlier| earlier.value.overlaps(&later.value))
        {
            let mistake = PoolMistake::Overlap { range: later.value, other: earlier.value };
            problems.collision(later.span, mistake, earlier.span, "overlaps this");
        }
    }
}

/// Pools that are announced in different ways must be for different services: how a service is announced follows from the
/// service, not from its address.
fn note_ambiguous(sources: &PoolSources<'_>, pools: &[Pool], problems: &mut Problems) {
    let span = |pool: &Pool| {
        let written = sources
            .written
            .iter()
            .find(|written| written.name.as_ref().is_some_and(|name| name.value == pool.name.as_str()));
        written.map_or(sources.file, |written| written.span)
    };
    for (position, later) in pools.iter().enumerate() {
        let differs = |earlier: &&Pool| {
            earlier.service_label == later.service_label && !earlier.is_announced_like(later)
        };
        let Some(earlier) = pools[..position].iter().find(differs) else { continue };
        let mistake = match &later.service_label {
            Some(ServiceLabel { key, value }) => {
                PoolMistake::AmbiguousLabel { key: key.clone(), value: value.clone() }
            }
            None => PoolMistake::Ambiguous { first: earlier.name.clone(), second: later.name.clone() },
        };
        problems.error(span(later), mistake);
    }
}

/// Notes ranges of IPv6 in a cluster that has none.
pub(super) fn note_families(pools: &[Pool], is_dual_stack: bool, problems: &mut Problems) {
    let ranges = pools.iter().flat_map(|pool| &pool.ranges);
    for range in ranges.filter(|range| range.value.is_ipv6() && !is_dual_stack) {
        problems.error(range.span, PoolMistake::Ipv6);
    }
}

impl Pool {
    /// Returns whether both pools are announced in the same way to the same routers.
    #[must_use]
    pub fn is_announced_like(&self, other: &Self) -> bool {
        self.announce == other.announce && self.routers == other.routers
    }

    /// Returns whether it assigns an address.
    #[must_use]
    pub fn assigns(&self, address: IpAddr) -> bool {
        self.ranges.iter().any(|range| range.value.assigns(address))
    }
}
