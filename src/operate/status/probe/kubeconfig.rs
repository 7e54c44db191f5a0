//! A kubeconfig that a node sent.
//!
//! A node's answer is data. Whoever has taken over a node could name a program to run (`exec`), a file to send (`tokenFile`)
//! or another server in it, so only three values are used: the authority, the client's certificate and its key. The address
//! of the API server is the one from which the file was fetched.

use std::net::IpAddr;

use kube::config::Kubeconfig;
use serde_json::{Map, Value, json};
use thiserror::Error;

/// Bytes of a kubeconfig. That of k3s has 3 kB.
const LENGTH_LIMIT: usize = 64 << 10;
/// The name of everything in the kubeconfig that is made.
const NAME: &str = "default";

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum KubeconfigFault {
    #[error("the file is longer than {LENGTH_LIMIT} bytes")]
    TooLong,
    #[error("the file is not a kubeconfig")]
    NotAKubeconfig,
    #[error("`{key}` is not allowed in the kubeconfig of a node")]
    Refused { key: String },
    #[error("`{key}` is missing or is not a text")]
    Missing { key: String },
    #[error("`{key}` has {count} entries, not one")]
    NotOne { key: &'static str, count: usize },
}

/// Makes a kubeconfig for the API server at `server` from what a node has.
pub(super) fn of_node(text: &str, server: IpAddr, port: u16) -> Result<Kubeconfig, KubeconfigFault> {
    if text.len() > LENGTH_LIMIT {
        return Err(KubeconfigFault::TooLong);
    }
    let Ok(Value::Object(file)) = serde_saphyr::from_str(text) else {
        return Err(KubeconfigFault::NotAKubeconfig);
    };
    let known = ["apiVersion", "kind", "preferences", "clusters", "users", "contexts", "current-context"];
    only(&file, "", &known)?;
    if let Some(Value::Object(preferences)) = file.get("preferences") {
        only(preferences, "preferences", &[])?;
    }
    let cluster = only_entry(&file, "clusters", "cluster")?;
    // What the server is called there is its own loopback address: it is passed over.
    only(cluster, "clusters.cluster", &["server", "certificate-authority-data"])?;
    let user = only_entry(&file, "users", "user")?;
    only(user, "users.user", &["client-certificate-data", "client-key-data"])?;
    let context = only_entry(&file, "contexts", "context")?;
    only(context, "contexts.context", &["cluster", "user", "namespace"])?;

    let server = match server {
        IpAddr::V4(server) => format!("https://{server}:{port}"),
        IpAddr::V6(server) => format!("https://[{server}]:{port}"),
    };
    let made = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": NAME, "cluster": {
            "server": server,
            "certificate-authority-data": text_of(cluster, "clusters.cluster", "certificate-authority-data")?,
        } }],
        "users": [{ "name": NAME, "user": {
            "client-certificate-data": text_of(user, "users.user", "client-certificate-data")?,
            "client-key-data": text_of(user, "users.user", "client-key-data")?,
        } }],
        "contexts": [{ "name": NAME, "context": { "cluster": NAME, "user": NAME } }],
        "current-context": NAME,
    });
    serde_json::from_value(made).map_err(|_| KubeconfigFault::NotAKubeconfig)
}

/// Refuses the first key that is not among `allowed`.
fn only(map: &Map<String, Value>, place: &str, allowed: &[&str]) -> Result<(), KubeconfigFault> {
    match map.keys().find(|key| !allowed.contains(&key.as_str())) {
        Some(key) if place.is_empty() => Err(KubeconfigFault::Refused { key: key.clone() }),
        Some(key) => Err(KubeconfigFault::Refused { key: format!("{place}.{key}") }),
        None => Ok(()),
    }
}

/// Returns what the only entry of a named list holds.
fn only_entry<'a>(
    file: &'a Map<String, Value>,
    list: &'static str,
    key: &'static str,
) -> Result<&'a Map<String, Value>, KubeconfigFault> {
    let entries = file.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let [Value::Object(entry)] = entries else {
        return Err(KubeconfigFault::NotOne { key: list, count: entries.len() });
    };
    only(entry, list, &["name", key])?;
    entry
        .get(key)
        .and_then(Value::as_object)
        .ok_or_else(|| KubeconfigFault::Missing { key: format!("{list}.{key}") })
}

fn text_of<'a>(map: &'a Map<String, Value>, place: &str, key: &str) -> Result<&'a str, KubeconfigFault> {
    let text = map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| KubeconfigFault::Missing { key: format!("{place}.{key}") })
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use super::*;
    use crate::common::mutation;

    /// As k3s writes it.
    const OF_K3S: &str = "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: QQ==\n    \
                          server: https://127.0.0.1:6443\n  name: default\ncontexts:\n- context:\n    \
                          cluster: default\n    user: default\n  name: default\ncurrent-context: default\n\
                          kind: Config\npreferences: {}\nusers:\n- name: default\n  user:\n    \
                          client-certificate-data: Qg==\n    client-key-data: Qw==\n";
    const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(172, 16, 10, 221));

    fn refusal(text: &str) -> String {
        of_node(text, SERVER, 6443).err().map(|fault| fault.to_string()).unwrap_or_default()
    }

    #[test]
    fn three_values_of_the_file_are_used() {
        let made = of_node(OF_K3S, SERVER, 6443).expect("a kubeconfig");
        let expected = "{\"apiVersion\":\"v1\",\"clusters\":[{\"cluster\":{\"certificate-authority-data\":\"QQ==\",\
                        \"server\":\"https://172.16.10.221:6443\"},\"name\":\"default\"}],\"contexts\":[{\"context\":\
                        {\"cluster\":\"default\",\"user\":\"default\"},\"name\":\"default\"}],\"current-context\":\
                        \"default\",\"kind\":\"Config\",\"users\":[{\"name\":\"default\",\"user\":\
                        {\"client-certificate-data\":\"Qg==\",\"client-key-data\":\"Qw==\"}}]}";
        assert_eq!(serde_json::to_value(made).expect("JSON").to_string(), expected);

        let ipv6 = of_node(OF_K3S, IpAddr::V6(Ipv6Addr::LOCALHOST), 6443).expect("a kubeconfig");
        let cluster = ipv6.clusters.into_iter().find_map(|named| named.cluster).expect("a cluster");
        assert_eq!(cluster.server.as_deref(), Some("https://[::1]:6443"));
    }

    #[test]
    fn everything_else_is_refused_by_name() {
        let with = |after: &str, line: &str| OF_K3S.replace(after, &format!("{after}{line}"));
        let in_cluster = |line: &str| with("    server: https://127.0.0.1:6443\n", line);
        let in_user = |line: &str| with("    client-certificate-data: Qg==\n", line);
        for (text, key) in [
            (in_user("    exec: {command: /bin/sh}\n"), "users.user.exec"),
            (in_user("    auth-provider: {name: gcp}\n"), "users.user.auth-provider"),
            (in_user("    token: x\n"), "users.user.token"),
            (in_user("    tokenFile: /root/.ssh/id_ed25519\n"), "users.user.tokenFile"),
            (in_user("    client-certificate: /root/x\n"), "users.user.client-certificate"),
            (in_user("    client-key: /root/x\n"), "users.user.client-key"),
            (in_user("    as: system:admin\n"), "users.user.as"),
            (in_user("    username: x\n"), "users.user.username"),
            (in_cluster("    insecure-skip-tls-verify: true\n"), "clusters.cluster.insecure-skip-tls-verify"),
            (in_cluster("    proxy-url: http://192.0.2.1\n"), "clusters.cluster.proxy-url"),
            (in_cluster("    certificate-authority: /etc/x\n"), "clusters.cluster.certificate-authority"),
            (in_cluster("    tls-server-name: x\n"), "clusters.cluster.tls-server-name"),
            (in_cluster("    extensions: []\n"), "clusters.cluster.extensions"),
            (with("kind: Config\n", "extensions: []\n"), "extensions"),
            (OF_K3S.replace("preferences: {}", "preferences: {colors: true}"), "preferences.colors"),
        ] {
            assert_eq!(refusal(&text), format!("`{key}` is not allowed in the kubeconfig of a node"));
        }
        assert_eq!(
            refusal(&with("users:\n", "- {name: second, user: {}}\n")),
            "`users` has 2 entries, not one"
        );
        assert_eq!(
            refusal(&OF_K3S.replace("Qw==", "")),
            "`users.user.client-key-data` is missing or is not a text"
        );
        assert_eq!(refusal("[]"), "the file is not a kubeconfig");
        assert_eq!(refusal("a: &a [*a, *a]\n"), "the file is not a kubeconfig");
        assert_eq!(refusal(&" ".repeat(LENGTH_LIMIT + 1)), "the file is longer than 65536 bytes");
    }

    #[test]
    fn no_mutation_names_a_program_a_file_or_another_server() {
        let hostile =
            ["exec", "tokenFile", "https://192.0.2.1", "proxy-url", "insecure-skip-tls-verify: true"];
        mutation::for_each(&[OF_K3S.as_bytes()], &hostile, |bytes| {
            let Ok(made) = of_node(&String::from_utf8_lossy(bytes), SERVER, 6443) else { return };
            let cluster = made.clusters.into_iter().find_map(|named| named.cluster).expect("a cluster");
            assert_eq!(cluster.server.as_deref(), Some("https://172.16.10.221:6443"));
            assert!(cluster.proxy_url.is_none() && cluster.certificate_authority.is_none());
            assert!(cluster.insecure_skip_tls_verify.is_none());
            let user = made.auth_infos.into_iter().find_map(|named| named.auth_info).expect("a user");
            assert!(user.exec.is_none() && user.auth_provider.is_none());
            assert!(user.token.is_none() && user.token_file.is_none());
            assert!(user.client_key.is_none() && user.client_certificate.is_none());
        });
    }
}
