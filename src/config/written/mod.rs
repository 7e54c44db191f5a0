//! `cluster.toml` as it is written: every value with its place, nothing resolved. A file for each section, under the name of
//! the section.

mod access;
mod bgp;
mod board;
mod certificates;
mod cilium;
mod file;
mod free;
mod gateway;
mod header;
mod hubble;
mod k3s;
mod leaf;
mod network;
mod node;
mod router;
mod router_status;
pub mod schema;
mod secrets;
mod shape;
mod storage;
mod streamer;
mod table;
mod versions;

pub use access::Access;
pub use bgp::Bgp;
pub use board::Board;
pub use certificates::{Certificates, Dns, Issuer};
pub use cilium::{Acceleration, Cilium};
pub use file::ClusterFile;
pub use free::FreeValue;
pub use gateway::Gateway;
pub use header::Header;
pub use hubble::Hubble;
pub use k3s::K3s;
pub use leaf::{Integer, Named, Switch, Text};
pub use network::Network;
pub use node::{Node, Role};
pub use router::Router;
pub use router_status::RouterStatus;
pub use secrets::Secrets;
pub use shape::Required;
pub(crate) use shape::nearest;
pub use storage::{Bind, Storage};
pub use streamer::Streamer;
pub use versions::{Channel, Versions};
