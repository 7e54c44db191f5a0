//! `rk1 secrets --generate` and `--rotate`, and the seeds that follow from them.

#![allow(clippy::expect_used, reason = "a failed step is a failed test")]

#[path = "../requirement/mod.rs"]
mod requirement;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use rk1::config::cluster::Cluster;
use rk1::config::diagnostics::{Mistake, Problems};
use rk1::config::source::Source;
use rk1::provision::seed;
use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};
use tempfile::TempDir;

/// The cluster of the tests, with a password for its sessions that `rk1` can make.
fn project() -> TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    let cluster = include_str!("../config/check/base.toml")
        .replace("[[bgp.router]]\n", "[[bgp.router]]\npassword = \"bgp-password\"\n")
        .replace("[secrets]\n", "[secrets]\nbgp-password = \"secrets/bgp\"\n");
    fs::write(folder.path().join("cluster.toml"), cluster).expect("cluster.toml");
    folder
}

fn edit(folder: &TempDir, before: &str, after: &str) {
    let file = folder.path().join("cluster.toml");
    let text = fs::read_to_string(&file).expect("cluster.toml");
    assert!(text.contains(before), "{before}");
    fs::write(&file, text.replace(before, after)).expect("cluster.toml");
}

fn secrets(folder: &TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rk1"))
        .arg("secrets")
        .args(arguments)
        .current_dir(folder.path())
        .env("NO_COLOR", "1")
        .output()
        .expect("rk1 runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// Runs `rk1 secrets` and returns what it says on standard error.
fn said(folder: &TempDir, arguments: &[&str], code: i32) -> String {
    let output = secrets(folder, arguments);
    assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
    text(&output.stderr).to_owned()
}

fn put(folder: &TempDir, name: &str, content: &str) {
    let file = folder.path().join("secrets").join(name);
    fs::write(&file, content).expect("secret");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("mode");
}

fn content(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join("secrets").join(name)).expect("a secret")
}

fn cluster(folder: &TempDir) -> Cluster {
    let mut problems = Problems::default();
    let text = fs::read_to_string(folder.path().join("cluster.toml")).expect("cluster.toml");
    let source = Source { name: "cluster.toml".to_owned(), text };
    Cluster::parse(&source, &mut problems).expect("a cluster")
}

/// Returns the secrets in the seed of a node, or everything that is wrong with them.
fn seed(folder: &TempDir, node: &str) -> Result<BTreeMap<String, String>, String> {
    let cluster = cluster(folder);
    let node = cluster.nodes.iter().find(|each| each.name.as_str() == node).expect("a node");
    let seed = seed::for_node(&cluster, node, folder.path()).map_err(|refused| {
        let each = |mistake: &seed::SeedMistake| {
            let place = folder.path().to_str().expect("UTF-8");
            format!("{mistake}\n  {}\n", mistake.hint().unwrap_or_default()).replace(place, ".")
        };
        refused.0.iter().map(each).collect::<String>()
    })?;
    let file = |file: &seed::SeedFile| (file.name.as_str().to_owned(), text(&file.bytes).to_owned());
    Ok(seed.files.iter().map(file).collect())
}

/// Makes all secrets, and those of other systems by hand.
fn generated() -> TempDir {
    let folder = project();
    said(&folder, &["--generate"], 0);
    put(&folder, "azure-dns", "azure");
    put(&folder, "grafana-token", "grafana");
    folder
}

#[test]
fn what_can_be_made_is_made_once() {
    let folder = project();
    assert_data_eq!(
        said(&folder, &["--generate"], 0),
        str![[r"
added `/secrets/` to .gitignore
made secrets/bgp
made secrets/k3s-agent-token
made secrets/k3s-server-ca
made secrets/k3s-token
made secrets/rk1-01-ssh
made secrets/rk1-02-ssh
made secrets/rk1-03-ssh
made secrets/rk1-04-ssh
wrote known_hosts, with which ssh knows the nodes
  hint: azure-dns: write the secret to `secrets/azure-dns`
  hint: grafana-token: write the secret to `secrets/grafana-token`
8 secrets made, 0 kept, 2 to be written by you

"]]
    );
    let mode =
        |path: &str| fs::metadata(folder.path().join(path)).expect("metadata").permissions().mode() & 0o777;
    assert_eq!((mode("secrets"), mode("known_hosts")), (0o700, 0o644));
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder.path().join("secrets")).expect("secrets") {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        assert_eq!(mode(&format!("secrets/{name}")), 0o600, "{name}");
        files.insert(name.clone(), content(&folder, &name));
    }
    assert_eq!(files.len(), 8, "{files:?}");
    let is_digits = |name: &str, length| {
        let digits = files[name].trim_end();
        digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    assert!(is_digits("k3s-token", 64) && is_digits("k3s-agent-token", 64) && is_digits("bgp", 32));
    assert_ne!(files["k3s-token"], files["k3s-agent-token"]);
    assert_ne!(files["rk1-01-ssh"], files["rk1-02-ssh"]);
    assert_eq!(fs::read_to_string(folder.path().join(".gitignore")).expect(".gitignore"), "/secrets/\n");

    // Nothing changes the second time.
    let output = secrets(&folder, &["--generate", "--json"]);
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&found["ignored"], &found["known_hosts"]), (&json!([]), &json!(null)));
    assert_eq!(
        found["secrets"][1],
        json!({ "name": "bgp-password", "file": "secrets/bgp", "action": "kept" })
    );
    assert_eq!(
        found["secrets"][0],
        json!({ "name": "azure-dns", "file": "secrets/azure-dns", "action": "to-be-written" })
    );
    for (name, before) in &files {
        assert_eq!(content(&folder, name), *before, "{name}");
        assert!(!text(&output.stdout).contains(before.trim_end()), "{name} is printed");
    }
}

/// Whatever lies at the path of a secret stays as it is, and nothing is written through a link.
#[test]
fn nothing_is_overwritten() {
    let folder = project();
    fs::create_dir(folder.path().join("secrets")).expect("secrets");
    fs::write(folder.path().join(".gitignore"), "result\nsecrets").expect(".gitignore");
    put(&folder, "k3s-token", "");
    symlink("../elsewhere", folder.path().join("secrets/k3s-agent-token")).expect("a link");
    fs::create_dir(folder.path().join("secrets/rk1-01-ssh")).expect("a folder");
    let said = said(&folder, &["--generate"], 0);
    assert!(said.ends_with("5 secrets made, 3 kept, 2 to be written by you\n"), "{said}");
    assert_eq!(content(&folder, "k3s-token"), "");
    assert!(!folder.path().join("elsewhere").exists());
    assert_eq!(fs::read_to_string(folder.path().join(".gitignore")).expect(".gitignore"), "result\nsecrets");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = project();
    fs::write(folder.path().join("secrets"), "a file").expect("a file");
    assert_data_eq!(
        said(&folder, &["--generate"], 1),
        str![[r"
error: cannot write `secrets/bgp`: File exists (os error 17)
  hint: check the permissions of `secrets/bgp` and its folder

"]]
    );
}

#[test]
fn joining_nodes_know_the_authority_and_agents_have_a_token_of_their_own() {
    let folder = generated();
    let authority = content(&folder, "k3s-server-ca");
    let servers = content(&folder, "k3s-token").trim_end().to_owned();
    let agents = content(&folder, "k3s-agent-token").trim_end().to_owned();

    // What the first server does with the file.
    let tls = folder.path().join("tls");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/modules/k3s/server-ca.sh");
    let placed = Command::new("bash")
        .arg(script)
        .env("AUTHORITY", folder.path().join("secrets/k3s-server-ca"))
        .env("TLS", &tls)
        .status();
    assert!(placed.expect("bash").success());
    let sum = Command::new("sha256sum").arg(tls.join("server-ca.crt")).output().expect("sha256sum");
    let hash = text(&sum.stdout).split(' ').next().expect("a hash");

    let first = seed(&folder, "rk1-01").expect("a seed");
    assert_eq!(first["k3s-server-ca"], authority);
    for (node, is_server) in [("rk1-01", true), ("rk1-02", true), ("rk1-03", true), ("rk1-04", false)] {
        let seed = seed(&folder, node).expect("a seed");
        assert_eq!(seed["k3s-agent-token"], format!("K10{hash}::node:{agents}"), "{node}");
        let expected = is_server.then(|| format!("K10{hash}::server:{servers}"));
        assert_eq!(seed.get("k3s-token").cloned(), expected, "{node}");
        // Only the first server gets the key of the authority, and no agent gets the token of servers.
        let holds = |secret: &str| seed.values().any(|text| text.contains(secret));
        let key = authority.lines().rev().nth(1).expect("a line of the key");
        assert_eq!((holds(key), holds(&servers)), (node == "rk1-01", is_server), "{node}");
        assert_eq!(seed.keys().filter(|name| name.ends_with("-ssh")).count(), 1, "{node}");
    }
}

/// k3s reads the certificate and its key as a pair: so does OpenSSL.
#[test]
fn the_authority_is_one() {
    let folder = generated();
    let openssl = |arguments: &[&str]| {
        let file = folder.path().join("secrets/k3s-server-ca");
        let output = Command::new("openssl").args(arguments).arg("-in").arg(file).output();
        output.map(|output| text(&output.stdout).to_owned())
    };
    let Ok(public) = openssl(&["x509", "-noout", "-pubkey"]) else {
        return requirement::skipped("the_authority_is_one", "`openssl` is not installed");
    };
    assert_eq!(openssl(&["pkey", "-pubout"]).expect("openssl"), public);
    assert!(public.contains("PUBLIC KEY"), "{public}");
    let shown = openssl(&["x509", "-noout", "-text"]).expect("openssl");
    for words in ["CA:TRUE", "Certificate Sign", "Public-Key: (256 bit)", "CN = k3s-server-ca@"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let file = folder.path().join("secrets/k3s-server-ca");
    let verified = Command::new("openssl").arg("verify").arg("-CAfile").arg(&file).arg(&file).output();
    assert!(verified.expect("openssl").status.success());
}

#[test]
fn host_keys_are_those_of_openssh() {
    let folder = generated();
    let known = fs::read_to_string(folder.path().join("known_hosts")).expect("known_hosts");
    let lines: Vec<_> = known.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), 4, "{known}");
    for (number, line) in (1..).zip(lines) {
        let file = folder.path().join(format!("secrets/rk1-0{number}-ssh"));
        let Ok(output) = Command::new("ssh-keygen").arg("-y").arg("-f").arg(file).output() else {
            return requirement::skipped("host_keys_are_those_of_openssh", "`ssh-keygen` is not installed");
        };
        let public =
            text(&output.stdout).trim_end().strip_suffix(&format!(" rk1-0{number}")).expect("a comment");
        assert_eq!(line, format!("rk1-0{number}.virtualthoughts.co.uk,172.16.10.22{number} {public}"));
        // OpenSSH finds the node by its address.
        let file = folder.path().join("known_hosts");
        let address = format!("172.16.10.22{number}");
        let found = Command::new("ssh-keygen").args(["-F", &address, "-f"]).arg(file).output();
        let found = found.expect("ssh-keygen");
        assert!(text(&found.stdout).contains(&public.replace("ssh-ed25519 ", "")), "{address}");
    }
}

#[test]
fn tokens_that_would_weaken_the_cluster_are_in_no_seed() {
    let folder = generated();
    let token = content(&folder, "k3s-token");
    put(&folder, "k3s-agent-token", &token);
    assert_data_eq!(
        seed(&folder, "rk1-01").expect_err("a shared token"),
        str![[r"
the secret `k3s-agent-token` is the same for servers and agents: `./secrets/k3s-agent-token`
  give servers and agents a token each: docs/secrets.md

"]]
    );
    let full = seed(&generated(), "rk1-01").expect("a seed");
    put(&folder, "k3s-agent-token", &full["k3s-token"]);
    assert_data_eq!(
        seed(&folder, "rk1-04").expect_err("a token of servers"),
        str![[r"
the secret `k3s-agent-token` is a token of servers, and agents would get it: `./secrets/k3s-agent-token`
  give servers and agents a token each: docs/secrets.md

"]]
    );
    // A token of another cluster.
    put(&folder, "k3s-agent-token", &full["k3s-agent-token"]);
    assert_data_eq!(
        seed(&folder, "rk1-04").expect_err("a token of another cluster"),
        str![[r"
the secret `k3s-agent-token` names another certificate authority than that of the cluster: `./secrets/k3s-agent-token`
  write the token of this cluster, or its authority: docs/secrets.md

"]]
    );
    put(&folder, "k3s-server-ca", "-----BEGIN CERTIFICATE-----\n");
    fs::remove_file(folder.path().join("secrets/rk1-02-ssh")).expect("a key");
    assert_data_eq!(
        seed(&folder, "rk1-02").expect_err("no authority"),
        str![[r"
the secret `rk1-02-ssh` is missing: `./secrets/rk1-02-ssh`
  run `rk1 secrets --generate`
the secret `k3s-server-ca` does not hold exactly one certificate in PEM: `./secrets/k3s-server-ca`
  move `./secrets/k3s-server-ca` away and run `rk1 secrets --generate`

"]]
    );
}

/// A cluster of one short token, as they were before: nothing changes for it.
#[test]
fn one_token_stays_as_it_is() {
    let folder = generated();
    edit(&folder, "agent-token = \"k3s-agent-token\"", "token = \"k3s-token\"");
    put(&folder, "k3s-token", "short\n");
    for node in ["rk1-01", "rk1-04"] {
        let seed = seed(&folder, node).expect("a seed");
        assert_eq!(seed["k3s-token"], "short\n", "{node}");
        assert!(!seed.contains_key("k3s-server-ca") && !seed.contains_key("k3s-agent-token"), "{node}");
    }
}

/// A running cluster, whose token is copied from a server: it names the authority that k3s has made.
#[test]
fn the_token_of_servers_may_name_the_authority() {
    let folder = generated();
    edit(
        &folder,
        "agent-token = \"k3s-agent-token\"",
        "token = \"k3s-token\"\nagent-token = \"k3s-agent-token\"",
    );
    let hash = "0123456789abcdef".repeat(4);
    let servers = format!("K10{hash}::server:password\n");
    put(&folder, "k3s-token", &servers);
    let agents = format!("K10{hash}::node:{}", content(&folder, "k3s-agent-token").trim_end());
    assert_eq!(seed(&folder, "rk1-02").expect("a seed")["k3s-token"], servers);
    for node in ["rk1-01", "rk1-04"] {
        assert_eq!(seed(&folder, node).expect("a seed")["k3s-agent-token"], agents, "{node}");
    }
    // Without a token of servers at hand, that of agents stays as it is.
    fs::remove_file(folder.path().join("secrets/k3s-token")).expect("a secret");
    let short = content(&folder, "k3s-agent-token");
    assert_eq!(seed(&folder, "rk1-04").expect("a seed")["k3s-agent-token"], short);
}

#[test]
fn one_secret_is_replaced_and_the_old_one_is_kept() {
    let folder = generated();
    let before = content(&folder, "k3s-agent-token");
    assert_data_eq!(
        said(&folder, &["--rotate", "k3s-agent-token"], 0),
        str![[r"
made secrets/k3s-agent-token; the old secret is in secrets/k3s-agent-token.previous
on a running cluster:
  1. write the content of secrets/k3s-agent-token to `/var/lib/rk1/secrets/k3s-agent-token` on each server, and restart k3s there, one server after the other
  2. write it to `/var/lib/rk1/secrets/k3s-agent-token` on each agent, and restart k3s there
  3. remove secrets/k3s-agent-token.previous

"]]
    );
    assert_eq!(content(&folder, "k3s-agent-token.previous"), before);
    assert_ne!(content(&folder, "k3s-agent-token"), before);
    for name in ["k3s-agent-token", "k3s-agent-token.previous"] {
        let file = folder.path().join("secrets").join(name);
        assert_eq!(fs::metadata(file).expect("metadata").permissions().mode() & 0o777, 0o600, "{name}");
    }
    // The old one is not lost by a second rotation.
    assert_data_eq!(
        said(&folder, &["--rotate", "k3s-agent-token"], 1),
        str![[r"
error: `secrets/k3s-agent-token.previous` exists, with an older secret
  hint: remove `secrets/k3s-agent-token.previous` when no node has that secret any more

"]]
    );
    assert_eq!(content(&folder, "k3s-agent-token.previous"), before);

    let known = || fs::read_to_string(folder.path().join("known_hosts")).expect("known_hosts");
    let (hosts, output) = (known(), secrets(&folder, &["--rotate", "rk1-02-ssh", "--json"]));
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        found["secret"],
        json!({ "name": "rk1-02-ssh", "file": "secrets/rk1-02-ssh", "previous": "secrets/rk1-02-ssh.previous" })
    );
    assert_eq!(found["steps"].as_array().map(Vec::len), Some(3));
    let changed = hosts.lines().zip(known().lines()).filter(|(before, after)| before != after).count();
    assert_eq!(changed, 1);
}

#[test]
fn only_what_rk1_makes_can_be_replaced() {
    let folder = generated();
    let mut all = String::new();
    for name in ["azure-dns", "no-such-secret"] {
        all += &said(&folder, &["--rotate", name], 1);
    }
    fs::remove_file(folder.path().join("secrets/bgp")).expect("a secret");
    all += &said(&folder, &["--rotate", "bgp-password"], 1);
    edit(&folder, "\"secrets/bgp\"", "\"\"");
    all += &said(&folder, &["--rotate", "bgp-password"], 1);
    assert_data_eq!(
        all,
        str![[r"
error: the secret `azure-dns` cannot be made: another system issues it
  hint: have that system issue another one, and write it to the file
error: the cluster has no secret `no-such-secret`
  hint: `rk1 secrets` lists the names
error: the secret `bgp-password` is missing: `secrets/bgp`
  hint: run `rk1 secrets --generate`
error: the secret `bgp-password` has no file
  hint: replace it where it comes from

"]]
    );
}

/// Writes a program beside `cluster.toml`.
fn program(folder: &Path, name: &str, script: &str) {
    let file = folder.join(name);
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("a program");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("mode");
}

#[test]
fn a_program_prints_a_secret() {
    let folder = generated();
    program(folder.path(), "vault", "printf '%s|' \"$@\"");
    edit(
        &folder,
        "grafana-token = \"secrets/grafana-token\"",
        "grafana-token = { command = [\"./vault\", \"read\", \"two words; $(id)\"] }",
    );
    fs::remove_file(folder.path().join("secrets/grafana-token")).expect("a secret");
    assert_eq!(seed(&folder, "rk1-04").expect("a seed")["grafana-token"], "read|two words; $(id)|");

    // The list and the generator do not run it.
    program(folder.path(), "vault", "touch ran; echo secret");
    let output = secrets(&folder, &[]);
    assert_eq!(text(&output.stderr), "all 10 secrets are ready; 1 of them without a file\n");
    assert!(text(&output.stdout).contains("grafana-token    program  -  "), "{}", text(&output.stdout));
    said(&folder, &["--generate"], 0);
    assert!(!folder.path().join("ran").exists());

    let mut all = String::new();
    for script in
        ["echo secret; echo 'not signed in' >&2; exit 3", "exit 0", "head -c 70000 /dev/zero", "kill $$"]
    {
        program(folder.path(), "vault", script);
        all += &seed(&folder, "rk1-04").expect_err("a mistake");
    }
    fs::remove_file(folder.path().join("vault")).expect("the program");
    all += &seed(&folder, "rk1-04").expect_err("a mistake");
    assert_data_eq!(
        all,
        str![[r"
the secret `grafana-token` cannot be read by `./vault`: it ended with exit status: 3: not signed in
  run `./vault` by hand, as `[secrets]` in cluster.toml says
the secret `grafana-token` cannot be read by `./vault`: it printed nothing
  run `./vault` by hand, as `[secrets]` in cluster.toml says
the secret `grafana-token` cannot be read by `./vault`: it printed more than 65536 bytes
  run `./vault` by hand, as `[secrets]` in cluster.toml says
the secret `grafana-token` cannot be read by `./vault`: it ended with signal: 15 (SIGTERM): no word of explanation
  run `./vault` by hand, as `[secrets]` in cluster.toml says
the secret `grafana-token` cannot be read by `./vault`: it cannot be run: No such file or directory (os error 2)
  run `./vault` by hand, as `[secrets]` in cluster.toml says

"]]
    );
}

/// `sops` and `age` get these arguments; stand-ins record them.
#[test]
fn sops_and_age_are_asked_for_one_secret() {
    let folder = generated();
    let programs = folder.path().join("bin");
    fs::create_dir(&programs).expect("a folder");
    for name in ["age", "sops"] {
        program(&programs, name, "printf '%s|' \"${0##*/}\" \"$@\"");
    }
    edit(
        &folder,
        "grafana-token = \"secrets/grafana-token\"",
        "grafana-token = { sops = \"secrets.yaml\", key = \"grafana token\" }",
    );
    edit(
        &folder,
        "azure-dns = \"secrets/azure-dns\"",
        "azure-dns = { age = \"azure.age\", identity = \"/keys/me\" }",
    );
    fs::write(folder.path().join("no.img"), "not an image").expect("a file");
    // The path of programs is that of the process, and so a process of its own reads the secrets.
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new(env!("CARGO_BIN_EXE_rk1"))
        .args(["--verbose", "flash", "rk1-01", "--dry-run", "--image", "no.img"])
        .current_dir(folder.path())
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .output()
        .expect("rk1 runs");
    let said = text(&output.stderr);
    // What is not an image ends the command, after the secrets have been read.
    let ran: Vec<_> =
        said.lines().filter(|line| line.starts_with("sops ") || line.starts_with("age ")).collect();
    assert_eq!(
        ran,
        [
            "sops decrypt --extract [\"grafana token\"] secrets.yaml",
            "age --decrypt --identity /keys/me azure.age"
        ],
        "{said}"
    );
    assert!(!said.contains("the secret `"), "{said}");
}
