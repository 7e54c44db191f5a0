//! `hosts/`: a NixOS module for each node, and one that all share.

mod k3s;
mod secrets;

use serde::Serialize;
use tera::Context;

use self::k3s::{NodeK3s, SharedK3s};
use self::secrets::{KubernetesSecret, SecretFile};
use super::error::RenderError;
use super::manifests::ports::ports;
use super::nix;
use crate::config::cluster::{self, Bind, Cluster, Device, Domain, Label, Network, Node, Place, SecretName};
use crate::config::modules::Module;
use crate::config::written::Role;
use crate::render::document::Document;

const FOLDER: &str = "hosts";

/// The values for the templates, as text.
#[derive(Serialize)]
struct Shared<'a> {
    name: &'a Label,
    domain: &'a Domain,
    /// All nodes, in the order of the file.
    nodes: Vec<Machine<'a>>,
    hosts: Vec<Host<'a>>,
    /// Names of the nodes that run the control plane.
    servers: Vec<&'a Label>,
    ssh_keys: &'a [String],
    gateway: String,
    interface: Interface<'a>,
    nameservers: Vec<String>,
    time_servers: &'a [String],
    storage: Storage<'a>,
    k3s: K3s<'a>,
    kubernetes_secrets: Vec<KubernetesSecret>,
    streamer: Option<Streamer<'a>>,
    ipv6: Option<Ipv6>,
    security: Protection,
    firewall: Firewall,
}

/// The settings of `[security]` that concern the hosts.
#[derive(Serialize)]
struct Protection {
    encryption: bool,
    pod_security: &'static str,
    secrets_encryption: bool,
    audit_log: bool,
}

#[derive(Serialize)]
struct Firewall {
    /// Networks from which the API server can be reached.
    api_clients: Vec<String>,
    /// Ports that the user's values of Cilium's chart need, for everyone.
    tcp_ports: Vec<u16>,
    /// The same, for nodes and pods.
    node_tcp_ports: Vec<u16>,
    node_udp_ports: Vec<u16>,
}

/// The IPv6 settings that all nodes of a dual-stack cluster share.
#[derive(Serialize)]
struct Ipv6 {
    gateway: String,
    pods: String,
    services: String,
}

/// A node, as the other nodes know it.
#[derive(Serialize)]
struct Machine<'a> {
    name: &'a Label,
    address: String,
    /// In a dual-stack cluster.
    address_ipv6: Option<String>,
}

/// The options of a kind of module that is not the default.
#[derive(Serialize)]
struct Board {
    uboot: &'static str,
    device_tree: &'static str,
}

#[derive(Serialize)]
struct Host<'a> {
    name: &'a Label,
    /// A sentence: where the module is.
    place: String,
    board: Option<Board>,
    /// The address with the prefix length of its network.
    cidr: String,
    cidr_ipv6: Option<String>,
    /// Options that override those of all nodes.
    interface: Option<Interface<'a>>,
    storage: HostStorage<'a>,
    role: &'static str,
    is_first_server: bool,
    /// The certificate authority that the first server begins with.
    server_ca_file: Option<String>,
    /// The server that the node joins, unless it is the first one.
    server_url: String,
    k3s: NodeK3s,
    secret_files: Vec<SecretFile<'a>>,
}

#[derive(Serialize)]
struct Route {
    to: String,
    via: String,
}

/// The options of the interface that has the node's address.
#[derive(Serialize)]
struct Interface<'a> {
    name: Option<&'a str>,
    mac: Option<String>,
    vlan: Option<u16>,
    mtu: Option<u16>,
    /// `true` or `false`.
    dhcp: Option<String>,
    routes: Option<Vec<Route>>,
    search_domains: Option<&'a [String]>,
}

/// The disks of a host that are not those of all hosts.
#[derive(Serialize)]
struct HostStorage<'a> {
    /// Whether its data disk is not that of all hosts.
    is_own: bool,
    /// `None` if it has no data disk.
    device: Option<String>,
    /// The file of the key, if disks are encrypted.
    key_file: Option<String>,
    disks: Vec<HostDisk<'a>>,
}

#[derive(Serialize)]
struct HostDisk<'a> {
    name: &'a Label,
    device: String,
    mount: &'a str,
    binds: Vec<Mount<'a>>,
}

#[derive(Serialize)]
struct Storage<'a> {
    /// `None` if hosts have no data disk.
    device: Option<String>,
    mount: &'a str,
    binds: Vec<Mount<'a>>,
}

#[derive(Serialize)]
struct Mount<'a> {
    path: &'a str,
    directory: &'a str,
}

/// The settings of `[k3s]`, and what follows from other sections.
#[derive(Serialize)]
struct K3s<'a> {
    #[serde(flatten)]
    settings: &'a cluster::K3s,
    release: String,
    token_file: String,
    agent_token_file: Option<String>,
    pods: String,
    services: String,
    tls_sans: Vec<String>,
    #[serde(flatten)]
    shared: SharedK3s,
}

#[derive(Serialize)]
struct Streamer<'a> {
    url: &'a str,
    token_file: String,
    stream: &'a str,
    interfaces: &'a [String],
    budget: u32,
    interval: u32,
}

pub(super) fn documents(cluster: &Cluster) -> Result<Vec<Document>, RenderError> {
    let tera = nix::templates(&[
        ("default.nix", include_str!("hosts/default.nix.tera")),
        ("cluster.nix", include_str!("hosts/cluster.nix.tera")),
        ("node.nix", include_str!("hosts/node.nix.tera")),
    ])?;
    k3s::check(cluster)?;
    let shared = shared(cluster);
    let context = Context::from_serialize(&shared)?;
    let document = |name: String, body| Document { folder: FOLDER, name, body };
    let mut documents = vec![
        document("default.nix".to_owned(), nix::render(&tera, "default.nix", &context)?),
        document("cluster.nix".to_owned(), nix::render(&tera, "cluster.nix", &context)?),
    ];
    for host in &shared.hosts {
        let body = nix::render(&tera, "node.nix", &Context::from_serialize(host)?)?;
        documents.push(document(format!("{}.nix", host.name), body));
    }
    Ok(documents)
}

fn shared(cluster: &Cluster) -> Shared<'_> {
    let ports = ports(cluster);
    let first_server = cluster.nodes.iter().find(|node| node.name == cluster.k3s.first_server);
    let server_url =
        first_server.map(|node| format!("https://{}:6443", node.address.v4().addr())).unwrap_or_default();
    let boards: std::collections::HashMap<&Label, String> =
        cluster.boards.iter().map(|board| (&board.name, board.bmc.value.to_string())).collect();
    Shared {
        name: &cluster.name,
        domain: &cluster.domain,
        nodes: cluster
            .nodes
            .iter()
            .map(|node| Machine {
                name: &node.name,
                address: node.address.v4().addr().to_string(),
                address_ipv6: node.address.v6().map(|address| address.addr().to_string()),
            })
            .collect(),
        hosts: cluster
            .hosts()
            .map(|node| Host {
                name: &node.name,
                place: match &node.place {
                    Some(Place { board, slot }) => {
                        let bmc = boards.get(board).cloned().unwrap_or_default();
                        format!("Slot {slot} of board {board}, whose BMC is at {bmc}.")
                    }
                    None => format!("{} module that is in no board.", capitalized(node.module)),
                },
                board: board_options(node.module),
                cidr: node.address.v4().to_string(),
                storage: host_storage(&cluster.storage, &node.name),
                cidr_ipv6: node.address.v6().map(|address| address.to_string()),
                interface: (!node.interface.is_default()).then(|| Interface::from(&node.interface)),
                role: node.role.word(),
                is_first_server: node.name == cluster.k3s.first_server,
                server_ca_file: cluster.k3s.joining.server_ca.as_ref().map(SecretName::path_on_node),
                server_url: server_url.clone(),
                secret_files: secrets::files(cluster, node),
                k3s: NodeK3s::of(&cluster.k3s_settings(node), node.role),
            })
            .collect(),
        servers: servers(cluster).map(|node| &node.name).collect(),
        ssh_keys: &cluster.ssh_keys,
        gateway: cluster.network.gateway.v4().to_string(),
        interface: Interface::from(&cluster.network.interface),
        nameservers: cluster.network.nameservers.iter().map(|server| server.value.to_string()).collect(),
        time_servers: &cluster.network.time_servers,
        storage: Storage {
            device: cluster.storage.source.as_ref().map(ToString::to_string),
            mount: &cluster.storage.mount,
            binds: cluster.storage.binds.iter().map(Mount::from).collect(),
        },
        k3s: K3s {
            settings: &cluster.k3s,
            release: cluster.versions.k3s.to_string(),
            token_file: cluster.k3s.joining.token.path_on_node(),
            agent_token_file: cluster.k3s.joining.agent_token.as_ref().map(SecretName::path_on_node),
            pods: cluster.network.pods.v4().to_string(),
            services: cluster.network.services.v4().to_string(),
            tls_sans: tls_sans(cluster),
            shared: SharedK3s::of(&cluster.k3s),
        },
        kubernetes_secrets: secrets::of_kubernetes(cluster),
        streamer: cluster.streamer.as_ref().map(|streamer| Streamer {
            url: &streamer.url,
            token_file: streamer.token.path_on_node(),
            stream: &streamer.stream,
            interfaces: &streamer.interfaces,
            budget: streamer.budget,
            interval: streamer.interval,
        }),
        ipv6: ipv6(&cluster.network),
        security: Protection {
            encryption: cluster.security.encryption,
            pod_security: cluster.security.pod_security.word(),
            secrets_encryption: cluster.security.secrets_encryption,
            audit_log: cluster.security.audit_log,
        },
        firewall: Firewall {
            api_clients: cluster.security.api_clients.iter().map(ToString::to_string).collect(),
            tcp_ports: ports.tcp.into_iter().collect(),
            node_tcp_ports: ports.node_tcp.into_iter().collect(),
            node_udp_ports: ports.node_udp.into_iter().collect(),
        },
    }
}

impl From<&cluster::Route> for Route {
    fn from(cluster::Route { to, via }: &cluster::Route) -> Self {
        Self { to: to.value.to_string(), via: via.value.to_string() }
    }
}

impl<'a> From<&'a cluster::Interface> for Interface<'a> {
    fn from(interface: &'a cluster::Interface) -> Self {
        let cluster::Interface { device, vlan, mtu, dhcp, routes, search_domains } = interface;
        let (name, mac) = match device {
            Some(Device::Name(name)) => (Some(name.as_str()), None),
            Some(Device::Mac(mac)) => (None, Some(mac.to_string())),
            None => (None, None),
        };
        let routes = routes.as_ref().map(|routes| routes.iter().map(Route::from).collect());
        let search_domains = search_domains.as_deref();
        Self {
            name,
            mac,
            vlan: *vlan,
            mtu: *mtu,
            dhcp: dhcp.map(|dhcp| dhcp.to_string()),
            routes,
            search_domains,
        }
    }
}

/// Returns the name of a kind with its article, at the beginning of a sentence.
fn capitalized(module: &Module) -> String {
    let article = module.hardware.map_or("a", |hardware| hardware.article);
    format!("{} {}", if article == "an" { "An" } else { "A" }, module.name)
}

fn board_options(module: &'static Module) -> Option<Board> {
    let hardware = module.hardware.filter(|_| module != Module::DEFAULT)?;
    Some(Board { uboot: hardware.uboot, device_tree: hardware.device_tree })
}

fn host_storage<'a>(storage: &'a cluster::Storage, node: &'a Label) -> HostStorage<'a> {
    let own = storage.data_disk(node);
    let disk = |disk: &'a cluster::FurtherDisk| HostDisk {
        name: &disk.name,
        device: disk.source.to_string(),
        mount: &disk.mount,
        binds: disk.binds.iter().map(Mount::from).collect(),
    };
    HostStorage {
        is_own: own != storage.source.as_ref(),
        device: own.map(ToString::to_string),
        key_file: storage.disk_key(node).map(SecretName::path_on_node),
        disks: storage.further_disks(node).map(disk).collect(),
    }
}

fn ipv6(network: &Network) -> Option<Ipv6> {
    Some(Ipv6 {
        gateway: network.gateway.v6()?.to_string(),
        pods: network.pods.v6()?.to_string(),
        services: network.services.v6()?.to_string(),
    })
}

impl<'a> From<&'a Bind> for Mount<'a> {
    fn from(bind: &'a Bind) -> Self {
        Self { path: &bind.path, directory: &bind.directory }
    }
}

fn servers(cluster: &Cluster) -> impl Iterator<Item = &Node> {
    cluster.nodes.iter().filter(|node| node.role == Role::Server)
}

/// Returns every name and address of the servers, so that the API server's certificate is valid for all of them.
fn tls_sans(cluster: &Cluster) -> Vec<String> {
    let servers = || servers(cluster);
    let names = servers().map(|node| node.name.to_string());
    let full_names = servers().map(|node| format!("{}.{}", node.name, cluster.domain));
    let addresses = servers().map(|node: &Node| node.address.v4().addr().to_string());
    let ipv6 = servers().filter_map(|node| node.address.v6()).map(|address| address.addr().to_string());
    names.chain(full_names).chain(addresses).chain(ipv6).chain(cluster.k3s.tls_san.iter().cloned()).collect()
}
