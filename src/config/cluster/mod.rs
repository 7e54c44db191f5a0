//! The checked cluster: every value has its type, and every default is set. Renderers do not check it again. Each section
//! has a file of the same name.

mod access;
mod address;
mod bgp;
mod board;
mod certificates;
mod cilium;
mod collision;
mod dual;
mod first_use;
mod gateway;
mod header;
mod hubble;
mod k3s;
mod kubernetes_secrets;
mod name;
mod network;
mod node;
mod number;
mod resolve;
mod router;
mod router_status;
mod secret_uses;
mod secrets;
mod storage;
mod streamer;
mod url;
mod versions;

pub use bgp::{Bgp, ipv6_session};
pub use board::{Board, SLOTS};
pub use certificates::{Certificates, Dns, DnsValue};
pub use cilium::Cilium;
pub use dual::{Addresses, Dual, Networks};
pub use gateway::Gateway;
pub use k3s::K3s;
pub use name::{Domain, Label};
pub use network::{IPV4, IPV6, Network, RangeLimits};
pub use node::{NoSuchNode, Node};
pub use resolve::{Cluster, Sections};
pub use router::Router;
pub use router_status::{RestAccess, RouterAccess};
pub use secret_uses::{Recipients, SecretPlace, SecretUse};
pub use secrets::{KubernetesSecret, SecretName, Secrets};
pub use storage::{Bind, Storage};
pub use streamer::Streamer;
pub use versions::{Release, Versions};
