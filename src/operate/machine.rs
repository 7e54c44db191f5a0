//! What this machine suggests for a new cluster: its network, and the public SSH keys of its user. Nothing is sent.

use std::path::{Path, PathBuf};
use std::{env, fs};

use ipnet::IpNet;

use crate::config::initial::LocalNetwork;

/// The usual names of public keys, the best first.
const KEY_FILES: [&str; 5] =
    ["id_ed25519.pub", "id_ed25519_sk.pub", "id_ecdsa.pub", "id_ecdsa_sk.pub", "id_rsa.pub"];

/// Returns the network of the default route, if the machine has one with an IPv4 address.
#[must_use]
pub fn local_network() -> Option<LocalNetwork> {
    let interface = netdev::get_default_interface().ok()?;
    let gateway = *interface.gateway?.ipv4.first()?;
    let is_on_link = |address: &&ipnet::Ipv4Net| address.contains(&gateway);
    let machine = *interface.ipv4.iter().find(is_on_link)?;
    // A network of one or two hosts has no room for a cluster.
    (IpNet::V4(machine).prefix_len() <= 30).then_some(LocalNetwork { machine, gateway })
}

/// Returns the file of the user's public SSH key, of several the one of the best kind.
#[must_use]
pub fn public_key() -> Option<PathBuf> {
    let folder = env::home_dir()?.join(".ssh");
    let usual = KEY_FILES.iter().map(|name| folder.join(name)).find(|file| file.is_file());
    usual.or_else(|| first_public_key(&folder))
}

fn first_public_key(folder: &Path) -> Option<PathBuf> {
    let is_public = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "pub");
    let mut files: Vec<_> =
        fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).filter(is_public).collect();
    files.sort();
    files.into_iter().next()
}
