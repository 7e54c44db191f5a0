//! `[bgp]`: the sessions with the routers, and the pool that is announced over them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;

use super::address::parse_range;
use super::dual::{Ipv6Key, Networks, Pairs, parsed};
use super::first_use::FirstUse;
use super::name::Label;
use super::number::{asn, number_or};
use super::router::{self, Router};
use super::secrets::SecretLookup;
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::Span;
use crate::config::written;

#[derive(Debug, Clone)]
pub struct Bgp {
    pub asn: u32,
    /// The hold time of a session, in seconds.
    pub hold_time: u16,
    /// The time between two keepalive messages, in seconds.
    pub keepalive: u16,
    /// The time between two attempts to connect to a router, in seconds.
    pub connect_retry: u16,
    /// The time for which routers keep the routes of a node whose Cilium agent restarts, in seconds. `None` if a node has
    /// several sessions: Cilium's GoBGP would then announce routes to no peer until every session is established or 360 s
    /// have passed (GoBGP, `pkg/server/server.go`, `LocalRestarting`), so one failed router would cut off the others.
    pub graceful_restart: Option<u16>,
    pub routers: Vec<Router>,
}

#[derive(Debug, Error)]
enum BgpMistake {
    #[error("the keepalive of {keepalive} s is longer than the hold time of {hold_time} s")]
    KeepaliveOverHold { keepalive: u16, hold_time: u16 },
    #[error("a hold time of {hold_time} s is shorter than three keepalives of {keepalive} s")]
    ShortHold { keepalive: u16, hold_time: u16 },
    #[error("a restart time of {seconds} s is too short: a node's agent may take longer to restart")]
    ShortRestart { seconds: u16 },
    #[error("`graceful-restart` has no effect: each node has {sessions} sessions")]
    RestartWithSeveral { sessions: usize },
    #[error("the cluster has no router")]
    NoRouter,
    #[error("`[bgp]` lacks `pool`")]
    NoPool,
    #[error("`{name}` is also the name of the IPv6 session of `{other}`")]
    SessionName { name: Label, other: Label },
    #[error("two routers have the {what} `{value}`")]
    DuplicateRouter { what: &'static str, value: String },
}

impl Mistake for BgpMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::KeepaliveOverHold { hold_time, .. } => {
                format!("write a third of the hold time: `keepalive = {}`", (hold_time / 3).max(1))
            }
            Self::ShortHold { keepalive, .. } => {
                format!("RFC 4271 suggests three keepalives: `hold-time = {}`", u32::from(*keepalive) * 3)
            }
            Self::ShortRestart { .. } => {
                "write at least 60: the router removes the node's routes when this time has passed".to_owned()
            }
            Self::RestartWithSeveral { .. } => {
                "remove it: with graceful restart, one failed router would stop the announcements to the other routers \
                 for six minutes"
                    .to_owned()
            }
            Self::NoRouter => "add a `[[bgp.router]]`".to_owned(),
            Self::NoPool => "add `pool = \"10.200.200.0/24\"`".to_owned(),
            Self::SessionName { .. } => "write another name".to_owned(),
            Self::DuplicateRouter { .. } => "give each router its own name and addresses".to_owned(),
        };
        Some(instead)
    }
}

/// Returns the name of the IPv6 session that belongs to the IPv4 session `name`. Nodes and routers use the same name.
#[must_use]
pub fn ipv6_session(name: &str) -> String {
    format!("{name}-ipv6")
}

/// Notes names of nodes or of routers that are also the name of another one's IPv6 session. Nodes name their sessions
/// after the routers, and routers after the nodes.
pub(super) fn note_session_names(names: &[(Span, &Label)], problems: &mut Problems) {
    for (span, name) in names {
        let mut others = names.iter();
        if let Some((first, other)) = others.find(|(_, other)| ipv6_session(other.as_str()) == name.as_str())
        {
            let mistake = BgpMistake::SessionName { name: (*name).clone(), other: (*other).clone() };
            problems.collision(*span, mistake, *first, "its IPv6 session has that name");
        }
    }
}

pub(super) fn resolve(
    written: &written::Bgp,
    pairs: &mut Pairs,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Bgp> {
    let asn = written.asn.as_ref().and_then(|number| asn(number, problems));
    let hold_time =
        number_or(9, written.hold_time.as_ref(), "hold time in seconds", &(3..=u16::MAX), problems);
    let keepalive =
        number_or(3, written.keepalive.as_ref(), "keepalive in seconds", &(1..=u16::MAX), problems);
    let connect_retry = number_or(
        5,
        written.connect_retry.as_ref(),
        "connect retry time in seconds",
        &(1..=u16::MAX),
        problems,
    );
    let restart = written.graceful_restart.as_ref();
    let graceful_restart = number_or(120, restart, "restart time in seconds", &(1..=4095), problems);
    if let (Some(hold_time), Some(keepalive)) = (hold_time, keepalive) {
        note_timers(written, hold_time, keepalive, problems);
    }
    if let (Some(seconds @ ..60), Some(written)) = (graceful_restart, &written.graceful_restart) {
        problems.warning(written.span, BgpMistake::ShortRestart { seconds });
    }
    let routers = resolve_routers(written, asn, pairs, secrets, problems)?;
    let sessions: usize = routers.iter().map(|router| router.address.each().count()).sum();
    if let Some(written) = written.graceful_restart.as_ref().filter(|_| sessions > 1) {
        problems.warning(written.span, BgpMistake::RestartWithSeveral { sessions });
    }
    Some(Bgp {
        asn: asn?,
        hold_time: hold_time?,
        keepalive: keepalive?,
        connect_retry: connect_retry?,
        graceful_restart: graceful_restart.map(|seconds| (sessions == 1).then_some(seconds))?,
        routers,
    })
}

fn resolve_routers(
    written: &written::Bgp,
    asn: Option<u32>,
    pairs: &mut Pairs,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Vec<Router>> {
    let routers = written.routers.as_ref()?;
    if routers.is_empty() {
        problems.error(written.span, BgpMistake::NoRouter);
    }
    note_duplicates(routers, problems);
    let resolved: Vec<_> =
        routers.iter().map(|router| router::resolve(router, asn, pairs, secrets, problems)).collect();
    if pairs.first().is_some() {
        let names = routers
            .iter()
            .zip(&resolved)
            .filter_map(|(router, resolved)| Some((router.name.as_ref()?.span, &resolved.as_ref()?.name)));
        note_session_names(&names.collect::<Vec<_>>(), problems);
    }
    resolved.into_iter().collect()
}

/// Resolves the pool of `[bgp]`. `None` if there is none or if it could not be resolved, which has been noted.
pub(super) fn resolve_pool(
    written: &written::Bgp,
    has_pools: bool,
    pairs: &mut Pairs,
    problems: &mut Problems,
) -> Option<Networks> {
    if written.pool.is_none() && (written.pool_ipv6.is_some() || !has_pools) {
        problems.error(written.span, BgpMistake::NoPool);
    }
    let v4 = written.pool.as_ref()?.0.as_ref();
    let v4 = v4.and_then(|text| parsed(text, parse_range::<Ipv4Addr>, problems));
    let key = Ipv6Key {
        table: "[bgp]",
        header: written.span,
        name: "pool-ipv6",
        example: "fd00:10:200:200::/112",
        text: written.pool_ipv6.as_ref(),
    };
    pairs.join(v4, key, parse_range::<Ipv6Addr>, problems)
}

fn note_timers(written: &written::Bgp, hold_time: u16, keepalive: u16, problems: &mut Problems) {
    let span = [&written.keepalive, &written.hold_time]
        .into_iter()
        .flatten()
        .next()
        .map_or(written.span, |written| written.span);
    if keepalive > hold_time {
        problems.error(span, BgpMistake::KeepaliveOverHold { keepalive, hold_time });
    } else if u32::from(keepalive) * 3 > u32::from(hold_time) {
        problems.warning(span, BgpMistake::ShortHold { keepalive, hold_time });
    }
}

fn note_duplicates(routers: &[written::Router], problems: &mut Problems) {
    let mut used = FirstUse::default();
    for router in routers {
        let fields = [
            ("name", router.name.as_ref()),
            ("address", router.address.as_ref()),
            ("address", router.address_ipv6.as_ref()),
        ];
        for (what, text) in fields {
            let Some(text) = text else { continue };
            // An IPv6 address can be written in many ways.
            let canonical = text
                .value
                .parse::<IpAddr>()
                .map_or_else(|_| text.value.clone(), |address| address.to_string());
            if let Some(first) = used.earlier((what, canonical), text.span) {
                let mistake = BgpMistake::DuplicateRouter { what, value: text.value.clone() };
                problems.collision(text.span, mistake, first, "first used here");
            }
        }
    }
}
