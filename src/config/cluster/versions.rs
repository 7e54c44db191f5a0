//! `[versions]`: the versions that are known to work together.

use std::fmt;

use thiserror::Error;

use super::pool::Pool;
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::Span;
use crate::config::written::{self, Announce, Channel, Text};

#[derive(Debug, Clone)]
pub struct Versions {
    /// The minor release, after which nixpkgs names its packages.
    pub k3s: Release,
    pub cilium: Release,
    pub gateway_api: Release,
    pub gateway_api_channel: Channel,
    pub cert_manager: Release,
}

impl Versions {
    /// Returns the Helm charts that the cluster installs, by name.
    #[must_use]
    pub fn charts(&self) -> [(&'static str, Release); 2] {
        [("cert-manager", self.cert_manager), ("cilium", self.cilium)]
    }

    /// Returns whether `cluster.toml` may ask for this release of a chart or of the Gateway API, with its other versions as
    /// they are.
    #[must_use]
    pub fn allow(&self, part: &str, release: Release) -> bool {
        let is_line = |minor: u16| release.major == 1 && release.minor == minor;
        match part {
            "cilium" => CILIUM.iter().any(|line| {
                is_line(line.minor)
                    && line.gateway_api.contains(&self.gateway_api)
                    && line.channels.contains(&self.gateway_api_channel)
            }),
            "cert-manager" => CERT_MANAGER.iter().any(|line| {
                let kubernetes = (self.k3s.major, self.k3s.minor);
                let range = (line.oldest.major, line.oldest.minor)..=(line.newest.major, line.newest.minor);
                is_line(line.minor) && range.contains(&kubernetes)
            }),
            GATEWAY_API => {
                let is_used = |line: &&CiliumLine| line.minor == self.cilium.minor;
                CILIUM.iter().find(is_used).is_some_and(|line| line.gateway_api.contains(&release))
                    && has_bundle(release, self.gateway_api_channel)
            }
            _ => false,
        }
    }
}

/// The name of the Gateway API's definitions beside those of the charts.
pub const GATEWAY_API: &str = "gateway-api";

/// A release such as `1.36` or `1.20.0`. A leading `v` is accepted and removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    pub major: u16,
    pub minor: u16,
    pub patch: Option<u16>,
}

/// A minor release of Cilium, and the releases and bundles of the Gateway API that its operator supports.
struct CiliumLine {
    minor: u16,
    newest: Release,
    gateway_api: &'static [Release],
    channels: &'static [Channel],
}

const BOTH: &[Channel] = &[Channel::Standard, Channel::Experimental];

/// The supported minor releases of Cilium, newest first. Sources: the conformance reports of the Gateway API, and the
/// resources that each operator requires at its start. Cilium 1.16 requires `TLSRoute` v1alpha2, which only the
/// experimental bundle has; 1.20 requires `TLSRoute` v1. The minor releases that are missing here need bundles whose schemas this
/// repository does not have, so their resources could not be validated. Gateway API 1.7 is newer than Cilium's reports: Cilium
/// 1.20.2's operator was run with its standard bundle (`tests/controlplane`).
const CILIUM: [CiliumLine; 3] = [
    CiliumLine {
        minor: 20,
        newest: Release::of(1, 20, 0),
        gateway_api: &[Release::of(1, 6, 1), Release::of(1, 6, 3), Release::of(1, 7, 0)],
        channels: BOTH,
    },
    CiliumLine {
        minor: 19,
        newest: Release::of(1, 19, 6),
        gateway_api: &[Release::of(1, 4, 1)],
        channels: BOTH,
    },
    CiliumLine {
        minor: 16,
        newest: Release::of(1, 16, 1),
        gateway_api: &[Release::of(1, 1, 0)],
        channels: &[Channel::Experimental],
    },
];

/// Returns whether the definitions of a release are supported in a channel: of 1.7 only those of the standard bundle were run.
fn has_bundle(gateway_api: Release, channel: Channel) -> bool {
    channel == Channel::Standard || (gateway_api.major, gateway_api.minor) != (1, 7)
}

/// A minor release of cert-manager and the Kubernetes releases that it supports
/// (<https://cert-manager.io/docs/releases/>).
struct CertManagerLine {
    minor: u16,
    oldest: Release,
    newest: Release,
}

const CERT_MANAGER: [CertManagerLine; 1] =
    [CertManagerLine { minor: 21, oldest: Release::minor_of(1, 33), newest: Release::minor_of(1, 36) }];

const K3S: Release = Release::minor_of(1, 36);
const CERT_MANAGER_NEWEST: Release = Release::of(1, 21, 1);

impl Release {
    const fn of(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch: Some(patch) }
    }

    const fn minor_of(major: u16, minor: u16) -> Self {
        Self { major, minor, patch: None }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = |part: &str| {
            let is_plain = part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse().ok().filter(|_| is_plain)
        };
        let parts: Vec<u16> =
            text.strip_prefix('v').unwrap_or(text).split('.').map(number).collect::<Option<_>>()?;
        match *parts.as_slice() {
            [major, minor] => Some(Self::minor_of(major, minor)),
            [major, minor, patch] => Some(Self::of(major, minor, patch)),
            _ => None,
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)?;
        self.patch.map_or(Ok(()), |patch| write!(formatter, ".{patch}"))
    }
}

#[derive(Debug, Error)]
enum VersionMistake {
    #[error("`{text}` is not a release of {what}")]
    NotARelease { what: &'static str, text: String, example: Release },
    #[error("{what} {release} is not supported")]
    Unknown { what: &'static str, release: Release, known: Vec<Release> },
    #[error("Cilium {cilium} does not support Gateway API {gateway_api}")]
    GatewayApi { cilium: Release, gateway_api: Release, instead: Release },
    #[error("Cilium {cilium} does not support the {channel} bundle of the Gateway API")]
    Channel { cilium: Release, channel: &'static str, instead: &'static str },
    #[error("the {channel} bundle of Gateway API {gateway_api} is not supported")]
    Bundle { gateway_api: Release, channel: &'static str, line: Release, instead: &'static str },
    #[error("Cilium {cilium} does not assign an IPv6 address to the gateway")]
    DualStack { cilium: Release },
    #[error("Cilium {cilium} has one AS number for all nodes")]
    NodeAsn { cilium: Release },
    #[error("Cilium {cilium} does not announce IPv6 addresses in the nodes' network")]
    LocalIpv6 { cilium: Release },
    #[error("cert-manager {cert_manager} does not support k3s {k3s}")]
    CertManager { cert_manager: Release, k3s: Release, oldest: Release, newest: Release },
}

impl Mistake for VersionMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::NotARelease { example, .. } => format!("write a release such as `{example}`"),
            Self::Unknown { known, .. } => {
                let known: Vec<_> = known.iter().map(|release| format!("`{release}`")).collect();
                format!("write one of {}", known.join(", "))
            }
            Self::GatewayApi { instead, .. } => format!("write `gateway-api = \"{instead}\"`"),
            Self::Channel { instead, .. } => format!("write `gateway-api-channel = \"{instead}\"`"),
            Self::Bundle { line, instead, .. } => {
                format!("write `gateway-api = \"{line}\"`, or `gateway-api-channel = \"{instead}\"`")
            }
            Self::DualStack { .. } => {
                format!("write Cilium 1.{DUAL_STACK} or newer, or remove every key that ends in `-ipv6`")
            }
            Self::NodeAsn { .. } => {
                format!("write Cilium 1.{NODE_ASN} or newer, or remove `asn` of the nodes")
            }
            Self::LocalIpv6 { .. } => {
                format!("write Cilium 1.{LOCAL_IPV6} or newer, or remove the IPv6 range")
            }
            Self::CertManager { oldest, newest, .. } => {
                format!(
                    "write `k3s = \"{newest}\"`: this cert-manager supports Kubernetes {oldest} to {newest}"
                )
            }
        };
        Some(instead)
    }
}

/// The first minor release of Cilium that assigns addresses of both families to the gateway's service (cilium/cilium,
/// `operator/pkg/model/translation/gateway-api/translator.go`).
const DUAL_STACK: u16 = 18;

/// Notes a release of Cilium that does not support a dual-stack cluster. `first` is the span of the first IPv6 address.
pub(super) fn note_dual_stack(
    written: Option<&written::Versions>,
    versions: &Versions,
    first: Span,
    problems: &mut Problems,
) {
    if versions.cilium.minor < DUAL_STACK {
        let text = written.and_then(|written| written.cilium.as_ref());
        let mistake = VersionMistake::DualStack { cilium: versions.cilium };
        problems.collision(text.map_or(first, |text| text.span), mistake, first, "an IPv6 address");
    }
}

/// `CiliumBGPNodeConfigOverride` has the AS number from this minor release of 1 on, with `cilium.io/v2`.
const NODE_ASN: u16 = 18;

/// Notes the first AS number of a node that the release of Cilium cannot have.
pub(super) fn note_node_asn(
    written: Option<&written::Versions>,
    versions: &Versions,
    asn: Option<Span>,
    problems: &mut Problems,
) {
    if let Some(asn) = asn.filter(|_| versions.cilium.minor < NODE_ASN) {
        let text = written.and_then(|written| written.cilium.as_ref());
        let mistake = VersionMistake::NodeAsn { cilium: versions.cilium };
        problems.collision(text.map_or(asn, |text| text.span), mistake, asn, "an AS number of a node");
    }
}

/// Cilium answers neighbour solicitations for services from this minor release of 1 on (cilium/cilium#39648).
const LOCAL_IPV6: u16 = 19;

/// Notes a release of Cilium that cannot announce a pool in the nodes' network.
pub(super) fn note_pools(
    written: Option<&written::Versions>,
    versions: &Versions,
    pools: &[Pool],
    problems: &mut Problems,
) {
    let local = pools.iter().filter(|pool| pool.announce == Announce::L2).flat_map(|pool| &pool.ranges);
    if let Some(range) =
        local.filter(|range| range.value.is_ipv6()).find(|_| versions.cilium.minor < LOCAL_IPV6)
    {
        let text = written.and_then(|written| written.cilium.as_ref());
        let mistake = VersionMistake::LocalIpv6 { cilium: versions.cilium };
        problems.collision(text.map_or(range.span, |text| text.span), mistake, range.span, "the range");
    }
}

/// A release and its span; the span of the section if the release is a default.
#[derive(Clone, Copy)]
struct Written {
    release: Release,
    span: Span,
}

/// Resolves the versions. Each default is chosen to match the versions that are written.
pub(super) fn resolve(written: Option<&written::Versions>, problems: &mut Problems) -> Option<Versions> {
    let Some(written) = written else {
        let newest = &CILIUM[0];
        return Some(Versions {
            k3s: K3S,
            cilium: newest.newest,
            gateway_api: newest.gateway_api[0],
            gateway_api_channel: newest.channels[0],
            cert_manager: CERT_MANAGER_NEWEST,
        });
    };
    let mut read =
        |text: &Option<Text>, what, default| release(text.as_ref(), what, default, written.span, problems);
    let cilium = read(&written.cilium, "Cilium", CILIUM[0].newest);
    let k3s = read(&written.k3s, "k3s", K3S);
    let cert_manager = read(&written.cert_manager, "cert-manager", CERT_MANAGER_NEWEST);

    let line = cilium.and_then(|cilium| cilium_line(cilium, problems));
    let gateway_api = line.and_then(|line| {
        let written = release(
            written.gateway_api.as_ref(),
            "the Gateway API",
            line.gateway_api[0],
            written.span,
            problems,
        )?;
        note_gateway_api(line, cilium?, written, problems);
        Some(written.release)
    });
    let channel = line.and_then(|line| Some(channel(line, cilium?.release, gateway_api, written, problems)));
    if let (Some(cert_manager), Some(k3s)) = (cert_manager, k3s) {
        note_cert_manager(cert_manager, k3s, problems);
    }
    Some(Versions {
        k3s: Release::minor_of(k3s?.release.major, k3s?.release.minor),
        cilium: cilium?.release,
        gateway_api: gateway_api?,
        gateway_api_channel: channel?,
        cert_manager: cert_manager?.release,
    })
}

fn release(
    text: Option<&Text>,
    what: &'static str,
    default: Release,
    section: Span,
    problems: &mut Problems,
) -> Option<Written> {
    let Some(text) = text else { return Some(Written { release: default, span: section }) };
    let parsed = Release::parse(&text.value)
        .filter(|release| default.patch.is_none() || release.patch.is_some())
        .ok_or_else(|| VersionMistake::NotARelease { what, text: text.value.clone(), example: default });
    problems.take(text.span, parsed).map(|release| Written { release, span: text.span })
}

/// Returns the newest known release of a minor release of Cilium 1.
pub(super) fn newest_cilium(minor: u16) -> Option<Release> {
    CILIUM.iter().find(|line| line.minor == minor).map(|line| line.newest)
}

fn cilium_line(cilium: Written, problems: &mut Problems) -> Option<&'static CiliumLine> {
    let release = cilium.release;
    let line = CILIUM.iter().find(|line| release.major == 1 && line.minor == release.minor);
    if line.is_none() {
        let known = CILIUM.iter().map(|line| line.newest).collect();
        problems.error(cilium.span, VersionMistake::Unknown { what: "Cilium", release, known });
    }
    line
}

fn note_gateway_api(line: &CiliumLine, cilium: Written, gateway_api: Written, problems: &mut Problems) {
    if !line.gateway_api.contains(&gateway_api.release) {
        let mistake = VersionMistake::GatewayApi {
            cilium: cilium.release,
            gateway_api: gateway_api.release,
            instead: line.gateway_api[0],
        };
        problems.collision(gateway_api.span, mistake, cilium.span, "with this release of Cilium");
    }
}

fn channel(
    line: &CiliumLine,
    cilium: Release,
    gateway_api: Option<Release>,
    written: &written::Versions,
    problems: &mut Problems,
) -> Channel {
    let Some(channel) = &written.gateway_api_channel else { return line.channels[0] };
    if !line.channels.contains(&channel.value) {
        let mistake = VersionMistake::Channel {
            cilium,
            channel: channel.value.word(),
            instead: line.channels[0].word(),
        };
        problems.error(channel.span, mistake);
    } else if let Some(gateway_api) = gateway_api.filter(|release| !has_bundle(*release, channel.value)) {
        let mistake = VersionMistake::Bundle {
            gateway_api,
            channel: channel.value.word(),
            line: line.gateway_api[0],
            instead: Channel::Standard.word(),
        };
        problems.error(channel.span, mistake);
    }
    channel.value
}

fn note_cert_manager(cert_manager: Written, k3s: Written, problems: &mut Problems) {
    let release = cert_manager.release;
    let Some(line) = CERT_MANAGER.iter().find(|line| release.major == 1 && line.minor == release.minor)
    else {
        let known = vec![CERT_MANAGER_NEWEST];
        let mistake = VersionMistake::Unknown { what: "cert-manager", release, known };
        problems.error(cert_manager.span, mistake);
        return;
    };
    let kubernetes = (k3s.release.major, k3s.release.minor);
    let range = (line.oldest.major, line.oldest.minor)..=(line.newest.major, line.newest.minor);
    if !range.contains(&kubernetes) {
        let mistake = VersionMistake::CertManager {
            cert_manager: release,
            k3s: k3s.release,
            oldest: line.oldest,
            newest: line.newest,
        };
        problems.collision(k3s.span, mistake, cert_manager.span, "with this release of cert-manager");
    }
}
