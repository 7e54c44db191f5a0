//! The cluster of the tests' image and seed, and the operator's files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rk1::config::cluster::{Cluster, Node};
use rk1::config::diagnostics::Problems;
use rk1::config::source::Source;
use rk1::provision::image::Identity;
use rk1::provision::seed::{Seed, SeedPartition};
use tempfile::TempDir;

/// The secrets by their names. Their bytes occur nowhere else.
pub(crate) const SECRETS: [(&str, &str); 6] = [
    ("azure-dns", "canary-azure-5d1f3c7a"),
    ("bgp-password", "canary-bgp-90b7e2d4"),
    ("grafana-token", "canary-grafana-3e6a81c5"),
    ("k3s-agent-token", "canary-agents-b86d20e9"),
    ("k3s-token", "canary-k3s-f27c904b"),
    ("k3s-token-of-another-cluster.v2", "canary-unused-77aa01ee"),
];

pub(crate) fn cluster() -> Cluster {
    parsed(&text())
}

fn text() -> String {
    include_str!("../../config/check/base.toml")
        .replace("[[bgp.router]]\n", "[[bgp.router]]\npassword = \"bgp-password\"\n")
        .replace("slot = 1\n", "slot = 1\nssh-host-key = \"rk1-01-ssh\"\n")
        .replace(
            "[secrets]\n",
            "[secrets]\nbgp-password = \"secrets/bgp-password\"\nk3s-server-ca = \"\"\n\
             rk1-02-ssh = \"\"\nrk1-03-ssh = \"\"\nrk1-04-ssh = \"\"\n\
             \"k3s-token-of-another-cluster.v2\" = \"secrets/k3s-token-of-another-cluster.v2\"\n",
        )
}

fn parsed(text: &str) -> Cluster {
    let mut problems = Problems::default();
    let source = Source { name: "cluster.toml".to_owned(), text: text.to_owned() };
    Cluster::parse(&source, &mut problems).unwrap_or_else(|| panic!("{problems:?}"))
}

pub(crate) fn node<'a>(cluster: &'a Cluster, name: &str) -> &'a Node {
    cluster.nodes.iter().find(|node| node.name.as_str() == name).unwrap()
}

pub(crate) fn identity(name: &str) -> Identity {
    let cluster = cluster();
    Identity::of(&cluster.name, &node(&cluster, name).name)
}

/// The operator's folder: `cluster.toml`, and every secret beside it.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("cluster.toml"), text()).unwrap();
    fs::create_dir(folder.path().join("secrets")).unwrap();
    for (name, secret) in SECRETS {
        put(folder.path(), name, secret.as_bytes());
    }
    put(folder.path(), "rk1-01-ssh", host_key().as_bytes());
    folder
}

pub(crate) fn put(folder: &Path, name: &str, secret: &[u8]) {
    let file = folder.join("secrets").join(name);
    fs::write(&file, secret).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Makes a key that passes the checks. Its private half is not that of its public half.
pub(crate) fn host_key() -> String {
    host_key_of("none")
}

/// Makes an ed25519 key with the given cipher (OpenSSH: `PROTOCOL.key`), all on one line.
pub(crate) fn host_key_of(cipher: &str) -> String {
    let block = if cipher == "none" { 8 } else { 16 };
    let field = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
    let public = [field(b"ssh-ed25519"), field(&[7; 32])].concat();
    let mut private = [
        // The same number twice, which shows that a passphrase was right.
        [9; 8].to_vec(),
        public.clone(),
        field(&[[5; 32], [7; 32]].concat()),
        field(b"canary-host-key-1b2c3d4e"),
    ]
    .concat();
    let padding = private.len().next_multiple_of(block) - private.len();
    private.extend((1..).take(padding));
    let key = [
        b"openssh-key-v1\0".to_vec(),
        field(cipher.as_bytes()),
        field(b"none"),
        field(b""),
        1_u32.to_be_bytes().to_vec(),
        field(&public),
        field(&private),
    ]
    .concat();
    let digits = data_encoding::BASE64.encode(&key);
    format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{digits}\n-----END OPENSSH PRIVATE KEY-----\n")
}

/// The seed of a node, from an operator's folder.
pub(crate) fn seed(folder: &Path, name: &str) -> Seed {
    let cluster = cluster();
    rk1::provision::seed::for_node(&cluster, node(&cluster, name), folder).unwrap()
}

pub(crate) fn partition(name: &str) -> SeedPartition {
    rk1::provision::seed::partition(&seed(folder().path(), name), &identity(name)).unwrap()
}
