//! A cluster, resolved and checked: every value has its type, every default is filled in. What renders from it
//! need not check anything again.

mod access;
mod address;
mod asn;
mod bgp;
mod collision;
mod dual;
mod first_use;
mod gateway;
mod k3s;
mod kubernetes_secrets;
mod name;
mod network;
mod number;
mod router;
mod router_access;
mod secret_uses;
mod secrets;
mod sections;
mod storage;
mod streamer;
mod topology;
mod versions;

pub use bgp::{Bgp, ipv6_session};
pub use dual::{Addresses, Dual, Networks};
pub use gateway::{AzureDns, Certificates, Gateway};
pub use k3s::K3s;
pub use kubernetes_secrets::KubernetesSecret;
pub use name::{Domain, Label};
pub use network::{IPV4, IPV6, Network, RangeLimits};
pub use router::{Platform, Router, RouterosSyntax};
pub use router_access::{RestAccess, RouterAccess};
pub use secret_uses::{Place, Recipients, SecretUse};
pub use secrets::{SecretName, Secrets};
pub use sections::Sections;
pub use storage::{Bind, Storage};
pub use streamer::Streamer;
pub use topology::{Board, Node};
pub use versions::{Release, Versions};

use crate::config::diagnostics::Problems;
use crate::config::source::{Source, Spanned};
use crate::config::written::{Acceleration, ClusterFile, FreeValue};
use collision::Parts;
use dual::Pairs;
use secrets::SecretLookup;

#[derive(Debug, Clone)]
pub struct Cluster {
    pub name: Label,
    pub domain: Domain,
    /// Public keys of those who may log in as root.
    pub ssh_keys: Vec<String>,
    pub versions: Versions,
    pub network: Network,
    pub boards: Vec<Board>,
    pub nodes: Vec<Node>,
    pub storage: Storage,
    pub k3s: K3s,
    pub cilium: Cilium,
    pub bgp: Bgp,
    pub gateway: Gateway,
    pub certificates: Certificates,
    /// Host name of Hubble's page, if it is served.
    pub hubble: Option<Domain>,
    pub streamer: Option<Streamer>,
    pub secrets: Secrets,
    pub sections: Sections,
}

#[derive(Debug, Clone)]
pub struct Cilium {
    pub acceleration: Acceleration,
    /// Helm values, laid over the rendered ones.
    pub values: Option<Spanned<FreeValue>>,
}

/// A part that may be left out could not be resolved; why has been noted.
struct Unresolved;

/// Characters of a cluster's name (Cilium's chart: `cluster.name`).
const CLUSTER_NAME_LIMIT: usize = 32;

impl Cluster {
    /// Whether it has IPv6 addresses beside those of IPv4.
    #[must_use]
    pub fn is_dual_stack(&self) -> bool {
        self.network.gateway.v6().is_some()
    }

    /// Reads and resolves `cluster.toml`. `None` means that `problems` has errors.
    pub fn parse(source: &Source, problems: &mut Problems) -> Option<Self> {
        let file = ClusterFile::parse(source, problems)?;
        let cluster = Self::resolve(&file, problems);
        cluster.filter(|_| !problems.has_errors())
    }

    /// Each part is resolved although another has failed, so that all mistakes are noted in one run.
    fn resolve(file: &ClusterFile, problems: &mut Problems) -> Option<Self> {
        let (name, domain) = resolve_header(file, problems);
        let domain = domain.as_ref();
        let ssh_keys = file.access.as_ref().and_then(|typed| access::resolve(typed, problems));
        let versions = versions::resolve(file.versions.as_ref(), problems);
        let storage = file.storage.as_ref().and_then(|typed| storage::resolve(typed, problems));
        let mut pairs = Pairs::default();
        let network = file.network.as_ref().and_then(|typed| network::resolve(typed, &mut pairs, problems));

        let mut lookup = SecretLookup::new(file.secrets.as_ref());
        let secrets = &mut lookup;
        let topology = topology::resolve(file, &mut pairs, secrets, problems);
        let nodes = topology.as_ref().map(|(_, nodes)| nodes.as_slice());
        let k3s = file.k3s.as_ref().and_then(|typed| k3s::resolve(typed, nodes, secrets, problems));
        let bgp = file.bgp.as_ref().and_then(|typed| bgp::resolve(typed, &mut pairs, secrets, problems));
        let pool = bgp.as_ref().map(|bgp| &bgp.pool);
        let gateway = file
            .gateway
            .as_ref()
            .and_then(|typed| gateway::resolve_gateway(typed, domain, pool, &mut pairs, problems));
        if let (Some(first), Some(versions)) = (pairs.first(), &versions) {
            versions::note_dual_stack(file.versions.as_ref(), versions, first, problems);
        }
        pairs.note_missing(problems);
        let hubble = gateway::resolve_hubble(file.hubble.as_ref(), gateway.as_ref(), domain, problems);
        let certificates = gateway::resolve_certificates(file, gateway.as_ref(), domain, secrets, problems);
        let (cilium, cluster) = (file.cilium.as_ref(), name.as_ref());
        let streamer = streamer::resolve(file.streamer.as_ref(), cilium, cluster, secrets, problems);
        let secrets = lookup.resolve(problems);

        if let (Some(written), Some(network), Some((boards, nodes))) =
            (file.network.as_ref(), &network, &topology)
        {
            let parts = Parts { written, network, boards, nodes, bgp: bgp.as_ref() };
            collision::note_collisions(&parts, problems);
            network::note_pods(network.pods, nodes, problems);
        }
        let (boards, nodes) = topology?;
        Some(Self {
            name: name?,
            domain: domain?.clone(),
            ssh_keys: ssh_keys?,
            versions: versions?,
            network: network?,
            boards,
            nodes,
            storage: storage?,
            k3s: k3s?,
            cilium: resolve_cilium(cilium),
            bgp: bgp?,
            gateway: gateway?,
            certificates: certificates?,
            hubble: hubble.ok()?,
            streamer: streamer.ok()?,
            secrets: secrets?,
            sections: Sections::of(file),
        })
    }
}

fn resolve_header(file: &ClusterFile, problems: &mut Problems) -> (Option<Label>, Option<Domain>) {
    let header = file.cluster.as_ref();
    let name = header.and_then(|header| header.name.as_ref()).and_then(|text| {
        let label = Label::parse(&text.value).and_then(|label| label.within(CLUSTER_NAME_LIMIT));
        problems.take(text.span, label)
    });
    let domain = header
        .and_then(|header| header.domain.as_ref())
        .and_then(|text| problems.take(text.span, Domain::parse(&text.value)));
    (name, domain)
}

fn resolve_cilium(typed: Option<&crate::config::written::Cilium>) -> Cilium {
    Cilium {
        acceleration: typed
            .and_then(|typed| typed.acceleration.as_ref())
            .map_or(Acceleration::Disabled, |choice| choice.value),
        values: typed.and_then(|typed| typed.values.clone()),
    }
}
