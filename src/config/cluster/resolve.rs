//! The checked cluster as a whole: every value has its type, and every default is set.

use std::net::IpAddr;

use super::bgp::{self, Bgp};
use super::board::{self, Board};
use super::certificates::{self, Certificates};
use super::cilium::{self, Cilium};
use super::collision::{self, Parts};
use super::dual::Pairs;
use super::gateway::{self, Gateway, Surroundings};
use super::interface;
use super::k3s::{self, K3s, NodeSettings};
use super::kubernetes_secret::{self, OwnKubernetesSecret};
use super::name::{Domain, Label};
use super::network::{self, Network};
use super::node::{self, Boards, NoSuchNode, Node};
use super::pool::{self, Pool, PoolSources};
use super::router::Router;
use super::secret_file::{self, SecretFile};
use super::secrets::{SecretLookup, Secrets};
use super::security::{self, Security};
use super::storage::{self, Storage};
use super::streamer::{self, Streamer};
use super::versions::{self, Versions};
use super::{access, header, hubble, kubernetes_secrets};
use crate::config::diagnostics::{Problems, Unresolved};
use crate::config::source::{Source, Span};
use crate::config::written::{Announce, ClusterFile};

#[derive(Debug, Clone)]
pub struct Cluster {
    pub name: Label,
    pub domain: Domain,
    /// The public SSH keys that may log in to the nodes as root.
    pub ssh_keys: Vec<String>,
    pub versions: Versions,
    pub network: Network,
    pub boards: Vec<Board>,
    pub nodes: Vec<Node>,
    pub storage: Storage,
    pub k3s: K3s,
    pub cilium: Cilium,
    pub security: Security,
    /// `None` if no router learns addresses by BGP.
    pub bgp: Option<Bgp>,
    /// The external addresses of services: at least one pool.
    pub pools: Vec<Pool>,
    /// At least one.
    pub gateways: Vec<Gateway>,
    pub certificates: Certificates,
    /// The host name of Hubble's page, if the page is enabled.
    pub hubble: Option<Domain>,
    pub streamer: Option<Streamer>,
    /// Files of nodes whose contents are secrets of the user.
    pub secret_files: Vec<SecretFile>,
    pub own_kubernetes_secrets: Vec<OwnKubernetesSecret>,
    pub secrets: Secrets,
    pub sections: SectionSpans,
}

/// The headers of sections, for problems found in the rendered documents. A section that was left out has the first line of
/// the file.
#[derive(Debug, Clone, Copy)]
pub struct SectionSpans {
    pub versions: Span,
    pub cilium: Span,
    pub bgp: Span,
    pub gateway: Span,
    pub certificates: Span,
    pub hubble: Span,
    pub security: Span,
}

impl SectionSpans {
    fn of(file: &ClusterFile) -> Self {
        let or_first_line = |section: Option<Span>| section.unwrap_or(file.span);
        Self {
            versions: or_first_line(file.versions.as_ref().map(|section| section.span)),
            cilium: or_first_line(file.cilium.as_ref().map(|section| section.span)),
            bgp: or_first_line(
                file.bgp
                    .as_ref()
                    .map(|section| section.span)
                    .or_else(|| Some(file.pools.as_ref()?.first()?.span)),
            ),
            gateway: or_first_line(file.gateways.as_ref().map(|section| section.span)),
            certificates: or_first_line(file.certificates.as_ref().map(|section| section.span)),
            hubble: or_first_line(file.hubble.as_ref().map(|section| section.span)),
            security: or_first_line(file.security.as_ref().map(|section| section.span)),
        }
    }
}

impl Cluster {
    /// Returns whether the cluster is dual-stack.
    #[must_use]
    pub fn is_dual_stack(&self) -> bool {
        self.network.gateway.v6().is_some()
    }

    /// Returns the gateway that serves a host name, and the position of the serving one among its host names.
    #[must_use]
    pub fn serving(&self, host: &Domain) -> Option<(&Gateway, usize)> {
        self.gateways.iter().find_map(|gateway| Some((gateway, gateway.serving(host)?.0)))
    }

    /// Returns whether some host name has a certificate.
    #[must_use]
    pub fn has_certificates(&self) -> bool {
        self.gateways.iter().any(Gateway::has_certificate)
    }

    /// Returns the AS number of a node. `None` without BGP.
    #[must_use]
    pub fn asn_of(&self, node: &Node) -> Option<u32> {
        let bgp = self.bgp.as_ref()?;
        Some(node.asn.map_or(bgp.asn, |asn| asn.value))
    }

    /// Returns whether some node is in another autonomous system than a router.
    #[must_use]
    pub fn is_external(&self, router: &Router) -> bool {
        self.nodes.iter().any(|node| self.asn_of(node) != Some(router.asn))
    }

    /// Returns the routers that learn addresses by BGP.
    #[must_use]
    pub fn routers(&self) -> &[Router] {
        self.bgp.as_ref().map_or(&[], |bgp| &bgp.routers)
    }

    /// Returns the pools that are announced to a router.
    pub fn pools_of(&self, router: &Router) -> impl Iterator<Item = &Pool> {
        self.pools.iter().filter(|pool| pool.routers.contains(&router.name))
    }

    /// Returns the pool that assigns an address.
    #[must_use]
    pub fn pool_with(&self, address: IpAddr) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.assigns(address))
    }

    /// Returns the nodes that are hosts of NixOS.
    pub fn hosts(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.is_host())
    }

    /// Returns whether a DHCP server assigns the node's IPv4 address.
    #[must_use]
    pub fn has_lease(&self, node: &Node) -> bool {
        node.interface.dhcp.or(self.network.interface.dhcp).unwrap_or_default()
    }

    /// Returns the settings of k3s on a node: those that all nodes share, with its own over them.
    #[must_use]
    pub fn k3s_settings(&self, node: &Node) -> NodeSettings {
        self.k3s.shared.with(&node.k3s)
    }

    /// Returns whether addresses are announced in the nodes' own network.
    #[must_use]
    pub fn announces_l2(&self) -> bool {
        self.pools.iter().any(|pool| pool.announce == Announce::L2)
    }

    /// Returns the node with a name.
    pub fn node(&self, name: &str) -> Result<&Node, NoSuchNode> {
        let mut nodes = self.nodes.iter();
        nodes.find(|node| node.name.as_str() == name).ok_or_else(|| NoSuchNode::new(name, &self.nodes))
    }

    /// Reads and resolves `cluster.toml`. `None` means that `problems` has errors.
    pub fn parse(source: &Source, problems: &mut Problems) -> Option<Self> {
        let file = ClusterFile::parse(source, problems)?;
        let cluster = Self::resolve(&file, problems);
        cluster.filter(|_| !problems.has_errors())
    }

    /// Resolves every part, even if another part has failed, so that all mistakes are noted in one run.
    fn resolve(file: &ClusterFile, problems: &mut Problems) -> Option<Self> {
        let mut lookup = SecretLookup::new(file.secrets.as_ref());
        let mut pairs = Pairs::default();
        let (name, domain) = header::resolve(file.cluster.as_ref(), problems);
        let domain = domain.as_ref();
        let ssh_keys = file.access.as_ref().and_then(|access| access::resolve(access, problems));
        let versions = versions::resolve(file.versions.as_ref(), problems);
        let machines = Machines::resolve(file, name.as_ref(), &mut pairs, &mut lookup, problems);
        let nodes = machines.nodes.as_deref();
        let written_nodes = file.nodes.0.as_deref().unwrap_or_default();
        let storage = file
            .storage
            .as_ref()
            .and_then(|storage| storage::resolve(storage, written_nodes, nodes, &mut lookup, problems));
        let k3s = k3s::resolve(file.k3s.as_ref(), name.as_ref(), nodes, &mut lookup, problems);
        let entrance =
            Entrance::resolve(file, domain, machines.pools.as_deref(), &mut pairs, &mut lookup, problems);
        let streamer = streamer::resolve(
            file.streamer.as_ref(),
            file.cilium.as_ref(),
            name.as_ref(),
            &mut lookup,
            problems,
        );
        let security = security::resolve(file.security.as_ref(), nodes, pairs.first().is_some(), problems);
        machines.note_features(file, versions.as_ref(), pairs.first(), problems);
        pairs.note_missing(problems);
        machines.note_collisions(file, problems);
        let files = file.secret_files.as_deref().unwrap_or_default();
        let secret_files = secret_file::resolve(files, nodes, &mut lookup, problems);
        let own = file.kubernetes_secrets.as_deref().unwrap_or_default();
        let own_kubernetes_secrets = kubernetes_secret::resolve(own, &mut lookup, problems);
        if let (Some(own), Some(certificates)) = (&own_kubernetes_secrets, &entrance.certificates) {
            let routers =
                machines.bgp.as_ref().ok().and_then(Option::as_ref).map_or(&[][..], |bgp| &bgp.routers);
            kubernetes_secret::note_taken(
                own,
                &kubernetes_secrets::built_in(routers, certificates),
                problems,
            );
        }
        let secrets = lookup.resolve(problems);
        Some(Self {
            name: name?,
            domain: domain?.clone(),
            ssh_keys: ssh_keys?,
            versions: versions?,
            network: machines.network?,
            boards: machines.boards?,
            nodes: machines.nodes?,
            storage: storage?,
            k3s: k3s?,
            cilium: cilium::resolve(file.cilium.as_ref()),
            security: security?,
            bgp: machines.bgp.ok()?,
            pools: machines.pools?,
            gateways: entrance.gateways?,
            certificates: entrance.certificates?,
            hubble: entrance.hubble.ok()?,
            streamer: streamer.ok()?,
            secret_files: secret_files?,
            own_kubernetes_secrets: own_kubernetes_secrets?,
            secrets: secrets?,
            sections: SectionSpans::of(file),
        })
    }
}

/// The parts that have addresses on the network. One that could not be resolved is `None`.
struct Machines {
    network: Option<Network>,
    boards: Option<Vec<Board>>,
    nodes: Option<Vec<Node>>,
    bgp: Result<Option<Bgp>, Unresolved>,
    pools: Option<Vec<Pool>>,
}

impl Machines {
    fn resolve(
        file: &ClusterFile,
        name: Option<&Label>,
        pairs: &mut Pairs,
        secrets: &mut SecretLookup<'_>,
        problems: &mut Problems,
    ) -> Self {
        let network = file.network.as_ref().and_then(|network| network::resolve(network, pairs, problems));
        let boards: Vec<_> =
            file.boards.as_ref().map(|boards| board::resolve(boards, secrets, problems)).unwrap_or_default();
        let mut names: Vec<_> = boards.iter().flatten().map(|board| &board.name).collect();
        names.sort();
        names.dedup();
        let known = Boards { names: &names, are_written: file.boards.is_some() };
        let nodes = file
            .nodes
            .as_ref()
            .and_then(|nodes| node::resolve(nodes, known, file.span, pairs, secrets, problems));
        let bgp = match &file.bgp {
            Some(bgp) => bgp::resolve(bgp, pairs, secrets, problems).map(Some).ok_or(Unresolved),
            None => Ok(None),
        };
        let written = file.pools.as_deref().unwrap_or_default();
        let of_bgp = file.bgp.as_ref();
        let of_bgp = of_bgp.and_then(|bgp| bgp::resolve_pool(bgp, !written.is_empty(), pairs, problems));
        let sources = PoolSources {
            cluster: name,
            bgp: bgp.as_ref().ok().and_then(Option::as_ref),
            of_bgp: of_bgp.as_ref(),
            has_bgp: file.bgp.is_some(),
            written,
            file: file.span,
        };
        let pools = pool::resolve(&sources, problems);
        Self { network, boards: boards.into_iter().collect(), nodes, bgp, pools }
    }

    /// Notes what the versions cannot do, and pools and AS numbers that the nodes cannot use.
    ///
    /// `ipv6` is the first key that makes the cluster dual-stack.
    fn note_features(
        &self,
        file: &ClusterFile,
        versions: Option<&Versions>,
        ipv6: Option<Span>,
        problems: &mut Problems,
    ) {
        let written = file.versions.as_ref();
        if let (Some(first), Some(versions)) = (ipv6, versions) {
            versions::note_dual_stack(written, versions, first, problems);
        }
        if let Some(nodes) = &self.nodes {
            let bgp = self.bgp.as_ref().ok().and_then(Option::as_ref);
            node::note_asns(nodes, file.bgp.is_some(), bgp, problems);
            let asn = nodes.iter().find_map(|node| node.asn).map(|asn| asn.span);
            if let Some(versions) = versions {
                versions::note_node_asn(written, versions, asn, problems);
            }
        }
        if let Some(pools) = &self.pools {
            pool::note_families(pools, ipv6.is_some(), problems);
            if let Some(versions) = versions {
                versions::note_pools(written, versions, pools, problems);
            }
        }
    }

    fn note_collisions(&self, file: &ClusterFile, problems: &mut Problems) {
        let Self { network: Some(network), boards: Some(boards), nodes: Some(nodes), bgp, pools } = self
        else {
            return;
        };
        let bgp = bgp.as_ref().ok().and_then(Option::as_ref);
        let (Some(written), Some(written_nodes)) = (file.network.as_ref(), file.nodes.as_ref()) else {
            return;
        };
        let parts = Parts {
            written,
            network,
            boards,
            nodes,
            routers: bgp.map_or(&[], |bgp| &bgp.routers),
            pools: pools.as_deref().unwrap_or_default(),
        };
        collision::note_collisions(&parts, problems);
        network::note_pods(network.pods, nodes, problems);
        interface::note_nodes(written_nodes, nodes, network, problems);
    }
}

/// The parts through which the cluster is reached from outside.
struct Entrance {
    gateways: Option<Vec<Gateway>>,
    hubble: Result<Option<Domain>, Unresolved>,
    certificates: Option<Certificates>,
}

impl Entrance {
    fn resolve(
        file: &ClusterFile,
        domain: Option<&Domain>,
        pools: Option<&[Pool]>,
        pairs: &mut Pairs,
        secrets: &mut SecretLookup<'_>,
        problems: &mut Problems,
    ) -> Self {
        let around =
            Surroundings { domain, pools, issuer: certificates::default_issuer(file.certificates.as_ref()) };
        let gateways =
            file.gateways.as_ref().and_then(|gateways| gateway::resolve(gateways, around, pairs, problems));
        let resolved = gateways.as_deref();
        let header = file.gateways.as_ref().map_or(file.span, |gateways| gateways.span);
        let hubble = hubble::resolve(file.hubble.as_ref(), header, resolved, domain, problems);
        let certificates = file.certificates.as_ref().and_then(|certificates| {
            certificates::resolve(certificates, resolved, domain, secrets, problems)
        });
        let written = file.cluster.as_ref().and_then(|cluster| cluster.domain.as_ref());
        let uses_acme = certificates.as_ref().is_some_and(|certificates| certificates.solver.is_some());
        if let (true, Some(domain), Some(written)) = (uses_acme, domain, written) {
            certificates::note_public(domain, written.span, problems);
        }
        Self { gateways, hubble, certificates }
    }
}
