//! `rk1 secrets --generate` and `rk1 secrets --rotate`.

use std::path::Path;

use crate::cli::outcome::{CommandError, Outcome};
use crate::cli::output::{print, print_hint, say};
use crate::config::cluster::{Cluster, SecretKind, SecretName};
use crate::provision::generate::{self, Action, GenerateError, GeneratedSecret, Rotated};

pub(super) fn generate(cluster: &Cluster, folder: &Path, is_json: bool) -> anyhow::Result<Outcome> {
    let generated = generate::generate(cluster, folder).map_err(command_error)?;
    if is_json {
        print(&format!("{:#}\n", serde_json::json!(generated)))?;
    }
    for line in &generated.ignored {
        say!("added `{line}` to .gitignore");
    }
    let of = |action| generated.secrets.iter().filter(move |secret| secret.action == action);
    for secret in of(Action::Made) {
        say!("made {}", place(secret));
    }
    if let Some(file) = &generated.known_hosts {
        say!("wrote {}, with which ssh knows the nodes", file.display());
    }
    for secret in of(Action::ToBeWritten) {
        print_hint(&format!("{}: write the secret to `{}`", secret.name, place(secret)));
    }
    let made = of(Action::Made).count();
    let (kept, rest) = (of(Action::Kept).count(), of(Action::ToBeWritten).count());
    say!("{made} secrets made, {kept} kept, {rest} to be written by you");
    Ok(Outcome::Done)
}

fn place(secret: &GeneratedSecret) -> String {
    secret.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default()
}

pub(super) fn rotate(cluster: &Cluster, folder: &Path, name: &str, is_json: bool) -> anyhow::Result<Outcome> {
    let rotated = generate::rotate(cluster, folder, name).map_err(command_error)?;
    let steps = steps(cluster, &rotated);
    if is_json {
        print(&format!("{:#}\n", serde_json::json!({ "secret": rotated, "steps": steps })))?;
    }
    say!("made {}; the old secret is in {}", rotated.file.display(), rotated.previous.display());
    say!("on a running cluster:");
    for (number, step) in (1..).zip(&steps) {
        say!("  {number}. {step}");
    }
    Ok(Outcome::Done)
}

/// Returns what to do on a running cluster, which has the old secret.
fn steps(cluster: &Cluster, rotated: &Rotated) -> Vec<String> {
    let (file, previous) = (rotated.file.display(), rotated.previous.display());
    let name = cluster.secrets.0.keys().find(|name| name.as_str() == rotated.name);
    let path = name.map(SecretName::path_on_node).unwrap_or_default();
    let first = cluster.nodes.iter().find(|node| node.name == cluster.k3s.first_server);
    let first = first.map(|node| node.ssh.clone()).unwrap_or_default();
    let removal = format!("remove {previous}");
    let is_agents = name.is_some() && name == cluster.k3s.joining.agent_token.as_ref();
    match rotated.kind {
        SecretKind::JoinToken if is_agents => vec![
            format!("write the content of {file} to `{path}` on each server, and restart k3s there, one server after the other"),
            format!("write it to `{path}` on each agent, and restart k3s there"),
            removal,
        ],
        SecretKind::JoinToken => vec![
            format!("on one server, as root: `k3s token rotate --token OLD --new-token NEW`, with the content of {previous} and {file}"),
            format!("write the content of {file} to `{path}` on each server, and restart k3s there, one server after the other"),
            format!("keep {previous} as long as you have snapshots of etcd from before: they are restored with it"),
        ],
        SecretKind::ServerCa => vec![
            "read docs/secrets.md: a new authority needs `k3s certificate rotate-ca --force`, and all nodes join again".to_owned(),
            format!("until then, `ssh {first}` and the running nodes use the old authority"),
            removal,
        ],
        SecretKind::SshHostKey => vec![
            format!("flash the node again; or copy {file} to `/etc/ssh/ssh_host_ed25519_key` on it, with mode 0600, and restart sshd"),
            "until then, ssh refuses the node, unless your own known_hosts has its old key".to_owned(),
            removal,
        ],
        SecretKind::DiskKey => vec![
            format!("copy {file} to `{path}.new` on the node, as root and with mode 0600"),
            format!(
                "on the node, as root: `cryptsetup luksChangeKey --key-slot 0 --key-file {path} --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --hash sha256 /dev/disk/by-partlabel/rk1-storage {path}.new && mv {path}.new {path}`"
            ),
            "until then, keep the old one: the disk opens with it alone".to_owned(),
            removal,
        ],
        SecretKind::BgpPassword => vec![
            format!("write the content of {file} to `{path}` on each server: the sessions then use it by themselves"),
            "set the new password on the router: the sessions are down in between".to_owned(),
            removal,
        ],
        SecretKind::Foreign => Vec::new(),
    }
}

fn command_error(error: GenerateError) -> anyhow::Error {
    match error.hint() {
        Some(hint) => CommandError::new(error.to_string(), hint).into(),
        None => error.into(),
    }
}
