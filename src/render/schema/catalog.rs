//! The embedded definitions of kinds, and which of them a cluster's versions use.

use std::sync::OnceLock;

use super::definition::{Definition, Schema};
use super::problem::ResourceMistake;
use crate::common::nearest::nearest;
use crate::config::cluster::{Release, Versions};
use crate::config::written::Channel;

/// A definition, parsed when it is first needed.
struct Embedded {
    folder: &'static str,
    kind: &'static str,
    text: &'static str,
    parsed: OnceLock<Option<Definition>>,
}

macro_rules! embedded {
    ($($folder:literal: $($kind:literal),+;)+) => {
        [$($(Embedded {
            folder: $folder,
            kind: $kind,
            text: include_str!(concat!("data/", $folder, "/", $kind, ".json")),
            parsed: OnceLock::new(),
        }),+),+]
    };
}

static EMBEDDED: [Embedded; 36] = embedded! {
    "cert-manager/v1.21.1": "Certificate", "ClusterIssuer";
    "cilium": "CiliumBGPAdvertisement", "CiliumBGPClusterConfig", "CiliumBGPNodeConfigOverride",
        "CiliumBGPPeerConfig", "CiliumGatewayClassConfig", "CiliumL2AnnouncementPolicy",
        "CiliumLoadBalancerIPPool";
    "k3s": "HelmChart", "HelmChartConfig";
    "gateway-api/v1.1.0/experimental": "Gateway", "GatewayClass", "HTTPRoute", "ReferenceGrant";
    "gateway-api/v1.4.1/experimental": "Gateway", "GatewayClass", "HTTPRoute", "ReferenceGrant";
    "gateway-api/v1.4.1/standard": "Gateway", "GatewayClass", "HTTPRoute", "ReferenceGrant";
    "gateway-api/v1.6.1/experimental": "Gateway", "GatewayClass", "HTTPRoute", "ReferenceGrant";
    "gateway-api/v1.6.1/standard": "Gateway", "GatewayClass", "HTTPRoute", "ReferenceGrant";
    "gateway-api/v1.7.0/standard": "Gateway", "GatewayClass", "HTTPRoute", "ReferenceGrant";
    "cilium": "CiliumClusterwideNetworkPolicy";
};

impl Embedded {
    fn definition(&self) -> Option<&Definition> {
        self.parsed.get_or_init(|| serde_json::from_str(self.text).ok()).as_ref()
    }

    fn group(&self) -> &'static str {
        match self.folder {
            "cilium" => "cilium.io",
            "k3s" => "helm.cattle.io",
            folder if folder.starts_with("gateway-api/") => "gateway.networking.k8s.io",
            _ => "cert-manager.io",
        }
    }
}

/// Returns all definitions, each with the name of its folder.
pub fn definitions() -> impl Iterator<Item = (&'static str, Option<&'static Definition>)> {
    EMBEDDED.iter().map(|each| (each.folder, each.definition()))
}

/// A known kind.
pub(super) enum Kind {
    /// The only kind of Kubernetes itself that is rendered. It has nothing but metadata.
    Namespace,
    Custom(&'static Definition, &'static Schema),
}

/// Cilium serves its BGP resources and address pools as `v2` from this minor release of 1 on, as `v2alpha1` before.
const CILIUM_V2: u16 = 18;

/// Returns the API version of Cilium's BGP resources and address pools.
#[must_use]
pub fn cilium_api_version(cilium: Release) -> &'static str {
    if cilium.minor < CILIUM_V2 { "cilium.io/v2alpha1" } else { "cilium.io/v2" }
}

/// Returns the folder of a group's definitions.
#[must_use]
pub fn bundle_of(group: &str, versions: &Versions) -> Option<String> {
    let bundle = match group {
        "cert-manager.io" => format!("cert-manager/v{}", newest_of(versions.cert_manager)),
        "cilium.io" => "cilium".to_owned(),
        "gateway.networking.k8s.io" => {
            let channel = match versions.gateway_api_channel {
                Channel::Standard => "standard",
                Channel::Experimental => "experimental",
            };
            format!("gateway-api/v{}/{channel}", same_gateway_api(versions.gateway_api))
        }
        "helm.cattle.io" => "k3s".to_owned(),
        _ => return None,
    };
    Some(bundle)
}

/// Returns the known patch release for a minor release: cert-manager's definitions do not change within one.
fn newest_of(release: Release) -> Release {
    if (release.major, release.minor) == (1, 21) { Release { patch: Some(1), ..release } } else { release }
}

/// Returns the known release with the same definitions: 1.6.3 differs from 1.6.1 in descriptions alone.
fn same_gateway_api(release: Release) -> Release {
    match (release.major, release.minor, release.patch) {
        (1, 6, Some(3)) => Release { patch: Some(1), ..release },
        _ => release,
    }
}

pub(super) fn find(api_version: &str, kind: &str, versions: &Versions) -> Result<Kind, ResourceMistake> {
    match (api_version, kind) {
        ("v1", "Namespace") => return Ok(Kind::Namespace),
        ("v1", "Secret") => return Err(ResourceMistake::Secret),
        _ => {}
    }
    let unknown = || {
        let known = near_kinds(kind, versions);
        ResourceMistake::UnknownKind { api_version: api_version.to_owned(), kind: kind.to_owned(), known }
    };
    let (group, version) = api_version.split_once('/').ok_or_else(unknown)?;
    let bundle = bundle_of(group, versions).ok_or_else(unknown)?;
    let mut bundles: Vec<_> = EMBEDDED.iter().filter(|each| each.folder == bundle).collect();
    if bundles.is_empty() {
        let known = EMBEDDED.iter().filter(|each| each.group() == group).map(|each| each.folder.to_owned());
        let mut known: Vec<_> = known.collect();
        known.dedup();
        return Err(ResourceMistake::NoSchema { what: format!("`{bundle}`"), known });
    }
    bundles.retain(|each| each.kind == kind);
    let definition = bundles.first().and_then(|each| each.definition()).ok_or_else(unknown)?;
    definition
        .schemas
        .iter()
        .find(|served| served.versions.iter().any(|each| each == version))
        .filter(|_| is_served(kind, version, versions))
        .map(|served| Kind::Custom(definition, &served.schema))
        .ok_or_else(unknown)
}

/// The kinds of Cilium that were `v2alpha1` before.
fn has_come_to_v2(kind: &str) -> bool {
    kind.starts_with("CiliumBGP") || kind == "CiliumLoadBalancerIPPool"
}

fn is_served(kind: &str, version: &str, versions: &Versions) -> bool {
    !has_come_to_v2(kind) || version != "v2" || versions.cilium.minor >= CILIUM_V2
}

/// Returns the versions of a kind, or a kind with a similar name, or all kinds.
fn near_kinds(kind: &str, versions: &Versions) -> Vec<String> {
    let served = served_kinds(versions);
    let kinds = || served.iter().map(|(_, kind)| *kind);
    let wanted = if kinds().any(|each| each == kind) { Some(kind) } else { nearest(kind, kinds()) };
    let is_near = |each: &str| wanted.is_none_or(|wanted| wanted == each);
    served
        .iter()
        .filter(|(_, each)| is_near(each))
        .map(|(version, kind)| format!("{version} {kind}"))
        .collect()
}

fn served_kinds(versions: &Versions) -> Vec<(String, &'static str)> {
    let mut kinds = vec![("v1".to_owned(), "Namespace")];
    for each in
        EMBEDDED.iter().filter(|each| bundle_of(each.group(), versions).as_deref() == Some(each.folder))
    {
        let served = each.definition().into_iter().flat_map(|definition| &definition.schemas);
        let versions = served
            .flat_map(|served| &served.versions)
            .filter(|version| is_served(each.kind, version, versions));
        kinds.extend(versions.map(|version| (format!("{}/{version}", each.group()), each.kind)));
    }
    kinds
}
