//! Secrets that differ are replaced, by the very script that nodes have.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use data_encoding::BASE64;

use crate::cluster::TestCluster;

const AZURE: &[u8] = b"azure \"quoted\" $HOME \\n \xff\n";
const GRAFANA: &[u8] = b"glsa_token";

fn with_secrets() -> TestCluster {
    let cluster = TestCluster::well();
    cluster.write_secret("azure-dns", AZURE);
    cluster.write_secret("grafana-token", GRAFANA);
    cluster
}

/// The node's file of a secret, and its mode.
fn on_node(cluster: &TestCluster, node: &str, name: &str) -> Option<(Vec<u8>, u32)> {
    let path = cluster.path(node, "secrets").join(name);
    let mode = fs::metadata(&path).ok()?.permissions().mode() & 0o777;
    Some((fs::read(path).unwrap(), mode))
}

#[test]
fn secrets_that_differ_are_replaced_and_others_are_not_sent() {
    let cluster = with_secrets();
    cluster.deploy("secrets-replaced", &["rk1-02", "rk1-04"]);
    // A server has both, an agent only the one that it uses.
    assert_eq!(on_node(&cluster, "rk1-02", "azure-dns"), Some((AZURE.to_vec(), 0o600)));
    assert_eq!(on_node(&cluster, "rk1-02", "grafana-token"), Some((GRAFANA.to_vec(), 0o600)));
    assert_eq!(on_node(&cluster, "rk1-04", "azure-dns"), None);
    assert_eq!(on_node(&cluster, "rk1-04", "grafana-token"), Some((GRAFANA.to_vec(), 0o600)));
    assert_eq!(fs::read_dir(cluster.path("rk1-02", "secrets")).unwrap().count(), 2);
    assert_eq!(cluster.noted("secret-calls"), "rk1-secrets compare\nrk1-secrets replace\n".repeat(2));

    // One changes: only that one is sent, and only where it is.
    fs::remove_file(cluster.folder.path().join("secret-inputs")).unwrap();
    fs::remove_file(cluster.folder.path().join("secret-calls")).unwrap();
    cluster.write_secret("azure-dns", b"other");
    cluster.deploy("secret-replaced", &["rk1-02", "rk1-04"]);
    assert_eq!(on_node(&cluster, "rk1-02", "azure-dns"), Some((b"other".to_vec(), 0o600)));
    assert_eq!(
        cluster.noted("secret-calls"),
        "rk1-secrets compare\n".to_owned() + "rk1-secrets compare\nrk1-secrets replace\n"
    );
    let sent = cluster.noted("secret-inputs");
    assert!(sent.ends_with(&format!("azure-dns {}\n", BASE64.encode(b"other"))), "{sent}");
    assert!(!sent.contains(&BASE64.encode(GRAFANA)), "{sent}");
    // Every comparison has a key of its own, so that nobody can compare two of them.
    let keys: Vec<_> = sent.lines().filter(|line| line.len() == 64 && !line.contains(' ')).collect();
    assert_eq!(keys.len(), 2, "{sent}");
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn a_node_without_the_program_is_deployed_all_the_same() {
    let cluster = with_secrets();
    cluster.mark("rk1-04", "no-secrets");
    cluster.deploy("secrets-later", &["rk1-04"]);
    assert_eq!(cluster.switched(), (vec!["rk1-04"], vec![]));
}

#[test]
fn secrets_stay_where_they_are_on_request() {
    let cluster = with_secrets();
    cluster.deploy("secrets-left-alone", &["rk1-04", "--no-secrets"]);
    assert_eq!(cluster.noted("secret-calls"), "");
}

#[test]
fn a_node_that_refuses_them_is_not_switched() {
    let cluster = with_secrets();
    fs::create_dir_all(cluster.path("rk1-04", "secrets").join("grafana-token")).unwrap();
    cluster.deploy("secrets-refused", &["rk1-04"]);
    assert_eq!(cluster.switched().0, Vec::<&str>::new());
}
