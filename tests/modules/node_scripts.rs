//! The scripts that servers run beside k3s, with a stand-in for k3s that records its arguments and input.

#![allow(clippy::expect_used, reason = "an unexpected failure ends the test")]

#[path = "../requirement/mod.rs"]
mod requirement;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use data_encoding::BASE64;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Records its arguments and standard input. `get` prints the file `checksum`.
const K3S: &str = r#"#!/bin/sh
echo "$*" >> "$NOTES/arguments"
case "$*" in
  *" get "*) cat "$NOTES/checksum" ;;
  *" apply "*) cat > "$NOTES/applied" ;;
esac
"#;

struct Node(TempDir);

impl Node {
    fn new() -> Self {
        let node = Self(tempfile::tempdir().expect("temporary folder"));
        for folder in ["bin", "store", "server/manifests", "server/static/charts"] {
            fs::create_dir_all(node.path(folder)).expect("folder");
        }
        fs::write(node.path("bin/k3s"), K3S).expect("k3s");
        fs::set_permissions(node.path("bin/k3s"), fs::Permissions::from_mode(0o755)).expect("mode");
        fs::write(node.path("checksum"), "").expect("checksum");
        node
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Creates a file in the store and a link to it.
    fn link(&self, name: &str) {
        let stored = self.path("store").join(name.replace('/', "-"));
        fs::write(&stored, "kind: Namespace\n").expect("stored");
        symlink(stored, self.path("server").join(name)).expect("link");
    }

    fn run(&self, script: &str, environment: &[(&str, &str)]) -> Output {
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap_or_default());
        Command::new("bash")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("modules").join(script))
            .env("PATH", path)
            .env("NOTES", self.0.path())
            .env("STORE", self.path("store"))
            .env("SERVER", self.path("server"))
            .envs(environment.iter().copied())
            .output()
            .expect("bash starts")
    }

    /// Returns the text of each file in a folder, or `link` for a link.
    fn list(&self, folder: &str) -> BTreeMap<String, String> {
        let entries = fs::read_dir(self.path(folder)).expect("folder").map(|entry| entry.expect("entry"));
        entries
            .map(|entry| {
                let is_link = entry.file_type().expect("type").is_symlink();
                let text =
                    if is_link { "link".to_owned() } else { fs::read_to_string(entry.path()).expect("text") };
                (entry.file_name().to_string_lossy().into_owned(), text)
            })
            .collect()
    }

    fn arguments(&self) -> String {
        fs::read_to_string(self.path("arguments")).unwrap_or_default()
    }
}

fn map<const N: usize>(entries: [(&str, &str); N]) -> BTreeMap<String, String> {
    entries.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

const KEPT: [(&str, &str); 2] = [("MANIFESTS", "10-cilium.yaml"), ("CHARTS", "cilium-1.20.0.tgz")];

#[test]
fn only_manifests_that_are_no_longer_rendered_are_emptied() {
    let node = Node::new();
    for name in ["manifests/10-cilium.yaml", "manifests/60-hubble.yaml", "static/charts/cilium-1.20.0.tgz"] {
        node.link(name);
    }
    // The garbage collector has removed its file. k3s would stop at such a link.
    node.link("manifests/70-dangling.yaml");
    fs::remove_file(node.path("store/manifests-70-dangling.yaml")).expect("collected");
    node.link("static/charts/cilium-1.19.6.tgz");
    fs::write(node.path("server/manifests/coredns.yaml"), "k3s's own").expect("own");
    symlink("/etc/hostname", node.path("server/manifests/mine.yaml")).expect("link");

    for _ in 0..2 {
        let output = node.run("manifests/retire.sh", &KEPT);
        assert!(output.status.success(), "{output:?}");
        let expected = map([
            ("10-cilium.yaml", "link"),
            ("60-hubble.yaml", "# retired\n"),
            ("70-dangling.yaml", "# retired\n"),
            ("coredns.yaml", "k3s's own"),
            ("mine.yaml", "link"),
        ]);
        assert_eq!(node.list("server/manifests"), expected);
        assert_eq!(node.list("server/static/charts"), map([("cilium-1.20.0.tgz", "link")]));
    }
}

#[test]
fn nothing_is_retired_before_k3s_has_created_its_folders() {
    let node = Node::new();
    fs::remove_dir_all(node.path("server")).expect("remove");
    assert!(node.run("manifests/retire.sh", &KEPT).status.success());
    assert!(node.run("manifests/remove-retired.sh", &[]).status.success());
    assert_eq!(node.arguments(), "");
}

#[test]
fn an_emptied_file_is_removed_once_k3s_has_deleted_its_resources() {
    let node = Node::new();
    node.link("manifests/10-cilium.yaml");
    let retired = node.path("server/manifests/60-hubble.yaml");
    fs::write(&retired, "# retired\n").expect("retired");

    // k3s has not applied the emptied file yet.
    fs::write(node.path("checksum"), "0".repeat(64)).expect("checksum");
    let waiting = node.run("manifests/remove-retired.sh", &[]);
    assert_eq!(waiting.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&waiting.stderr),
        "k3s has not yet deleted the resources of 60-hubble.yaml\n"
    );
    assert!(retired.exists());

    // sha256sum of "# retired\n".
    let sum = Command::new("sha256sum").arg(&retired).output().expect("sha256sum").stdout;
    fs::write(node.path("checksum"), &sum[..64]).expect("checksum");
    assert!(node.run("manifests/remove-retired.sh", &[]).status.success());
    assert_eq!(node.list("server/manifests"), map([("10-cilium.yaml", "link")]));
    let get = "kubectl --namespace=kube-system get addons.k3s.cattle.io 60-hubble --ignore-not-found \
               --output=jsonpath={.spec.checksum}\n";
    let delete = "kubectl --namespace=kube-system delete addons.k3s.cattle.io 60-hubble --ignore-not-found\n";
    assert_eq!(node.arguments(), [get, get, delete].concat());
}

/// Records its arguments.
const SYSTEMCTL: &str = "#!/bin/sh\necho \"$*\" >> \"$NOTES/systemctl\"\n";

/// A node with templates of two files, one of which needs a secret that is there, and one that is not.
fn configured() -> (Node, [(&'static str, String); 3]) {
    let node = Node::new();
    fs::write(node.path("bin/systemctl"), SYSTEMCTL).expect("systemctl");
    fs::set_permissions(node.path("bin/systemctl"), fs::Permissions::from_mode(0o755)).expect("mode");
    fs::create_dir(node.path("run")).expect("folder");
    let [password, token] = ["password", "token"].map(|name| node.path(name).display().to_string());
    let registries = json!({
        "mirrors": { "docker.io": { "endpoint": ["https://mirror"], "rewrite": { "^(.*)$": "x/$1" } } },
        "configs": {
            "mirror": { "auth": { "username": "robot", "password": { "_secret": password } } },
            "other": { "auth": { "identity_token": { "_secret": token } } },
        },
    });
    let snapshots = json!({ "etcd-s3": true, "etcd-s3-secret-key": { "_secret": password } });
    fs::write(node.path("store/registries.json"), registries.to_string()).expect("template");
    fs::write(node.path("store/snapshots.json"), snapshots.to_string()).expect("template");
    let store = node.path("store").display().to_string();
    let files = format!("registries.yaml={store}/registries.json snapshots.yaml={store}/snapshots.json");
    let run = node.path("run").display().to_string();
    (node, [("FILES", files), ("SECRETS", format!("{password} {token}")), ("RUNTIME_DIRECTORY", run)])
}

fn made(node: &Node) -> BTreeMap<String, Value> {
    let files = node.list("run").into_iter();
    files.map(|(name, text)| (name, serde_json::from_str(&text).expect("JSON"))).collect()
}

#[test]
fn configuration_files_have_the_secrets_and_restart_k3s_when_they_change() {
    let test = "configuration_files_have_the_secrets_and_restart_k3s_when_they_change";
    if Command::new("jq").arg("--version").output().is_err() {
        return requirement::skipped(test, "jq is not installed");
    }
    let (node, environment) = configured();
    let run = || {
        let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
        node.run("k3s/config-files.sh", &environment)
    };
    let expected = |password: &str, token: Option<&str>| {
        let mut registries = json!({
            "mirrors": { "docker.io": { "endpoint": ["https://mirror"], "rewrite": { "^(.*)$": "x/$1" } } },
            "configs": {
                "mirror": { "auth": { "username": "robot", "password": password } },
                "other": { "auth": {} },
            },
        });
        if let Some(token) = token {
            registries["configs"]["other"]["auth"]["identity_token"] = json!(token);
        }
        let snapshots = json!({ "etcd-s3": true, "etcd-s3-secret-key": password });
        BTreeMap::from([("registries.yaml".to_owned(), registries), ("snapshots.yaml".to_owned(), snapshots)])
    };
    let restarts = || fs::read_to_string(node.path("systemctl")).unwrap_or_default();

    // At the first boot, with a secret missing: the rest works, and the error names the file.
    fs::write(node.path("password"), format!("{SECRET}\n")).expect("password");
    let output = run();
    assert_eq!(output.status.code(), Some(1));
    let told = format!(
        "error: {} is missing or empty: k3s runs without what needs it\nhint: flash the node again, or write the file\n",
        node.path("token").display()
    );
    assert_eq!(String::from_utf8_lossy(&output.stderr), told);
    assert_eq!(made(&node), expected(SECRET, None));
    assert_eq!(restarts(), "");

    // It arrives.
    fs::write(node.path("token"), "t0ken\r\n").expect("token");
    let output = run();
    assert!(output.status.success(), "{output:?}");
    assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b""[..], &b""[..]));
    assert_eq!(made(&node), expected(SECRET, Some("t0ken")));
    let restart = "--no-block try-restart k3s.service\n";
    assert_eq!(restarts(), restart);

    // Nothing changes, then the password does.
    assert!(run().status.success());
    assert_eq!(restarts(), restart);
    fs::write(node.path("password"), "other").expect("password");
    assert!(run().status.success());
    assert_eq!(made(&node), expected("other", Some("t0ken")));
    assert_eq!(restarts(), restart.repeat(2));
}

/// Runs the script that makes a file of a secret.
fn secret_file(node: &Node, mode: &str, restart: &str) -> Output {
    let [source, target] = ["source", "etc/app/key"].map(|name| node.path(name).display().to_string());
    let environment = [
        ("SOURCE", &*source),
        ("TARGET", &*target),
        ("OWNER", "root"),
        ("GROUP", "root"),
        ("MODE", mode),
        ("RESTART", restart),
    ];
    node.run("secret-files.sh", &environment)
}

#[test]
fn a_file_has_its_owner_and_mode_and_units_restart_when_it_changes() {
    let test = "a_file_has_its_owner_and_mode_and_units_restart_when_it_changes";
    if !fs::read_to_string("/proc/self/status").is_ok_and(|status| status.contains("\nUid:\t0\t")) {
        return requirement::skipped(test, "it needs root");
    }
    let node = Node::new();
    fs::write(node.path("bin/systemctl"), SYSTEMCTL).expect("systemctl");
    fs::set_permissions(node.path("bin/systemctl"), fs::Permissions::from_mode(0o755)).expect("mode");
    fs::create_dir_all(node.path("etc/app")).expect("folder");
    let restarts = || fs::read_to_string(node.path("systemctl")).unwrap_or_default();

    let output = secret_file(&node, "440", "app.service");
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).replace(&node.path("").display().to_string(), "/");
    assert_eq!(
        told,
        "error: /source is missing or empty: /etc/app/key stays as it is\n\
         hint: flash the node again, or run `rk1 deploy`, which writes the file\n"
    );

    // What was there, a link to a file of somebody else included, is replaced and not followed.
    fs::write(node.path("victim"), "kept").expect("victim");
    symlink(node.path("victim"), node.path("etc/app/key")).expect("link");
    fs::write(node.path("source"), SECRET).expect("source");
    let restart = "--no-block try-restart app.service other@1.service\n";
    for (mode, bytes, expected) in
        [("440", SECRET, 1), ("440", SECRET, 1), ("400", SECRET, 1), ("400", "other", 2), ("640", "other", 2)]
    {
        fs::write(node.path("source"), bytes).expect("source");
        let output = secret_file(&node, mode, "app.service other@1.service");
        assert!(output.status.success(), "{output:?}");
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b""[..], &b""[..]));
        assert_eq!(node.list("etc/app"), map([("key", bytes)]));
        let metadata = fs::metadata(node.path("etc/app/key")).expect("metadata");
        assert_eq!(format!("{:o}", metadata.permissions().mode() & 0o777), mode);
        assert_eq!(restarts(), restart.repeat(expected), "{mode} {bytes}");
    }
    assert_eq!(fs::read_to_string(node.path("victim")).expect("victim"), "kept");
}

/// Runs the script that compares and replaces secrets, with an input.
fn replace_secrets(node: &Node, action: &str, input: &str) -> (Option<i32>, String, String) {
    let input_file = node.path("input");
    fs::write(&input_file, input).expect("input");
    let output = Command::new("bash")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("modules/replace-secrets.sh"))
        .arg(action)
        .env("SECRETS", node.path("secrets"))
        .stdin(fs::File::open(input_file).expect("input"))
        .output()
        .expect("bash starts");
    let text =
        |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&node.path("").display().to_string(), "/");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn only_whole_secrets_with_names_of_secrets_are_replaced() {
    let node = Node::new();
    let text = BASE64.encode(b"\0bytes\xff\n");
    let done = (Some(0), String::new(), String::new());
    assert_eq!(replace_secrets(&node, "replace", &format!("token {text}\n")), done);
    assert_eq!(fs::read(node.path("secrets/token")).expect("token"), b"\0bytes\xff\n");
    let refused = |error: &str| (Some(1), String::new(), format!("error: {error}\n"));
    let no_name = "a line does not begin with the name of a secret";
    fs::create_dir(node.path("secrets/folder")).expect("folder");
    symlink("/etc/passwd", node.path("secrets/link")).expect("link");
    for (line, error) in [
        (format!("../token {text}"), no_name),
        (format!(".token {text}"), no_name),
        (format!("Token {text}"), no_name),
        (format!("{} {text}", "x".repeat(73)), no_name),
        ("token".to_owned(), "the bytes of token are missing: nothing was replaced"),
        (format!("folder {text}"), "the file of folder is not a regular file"),
        (format!("link {text}"), "the file of link is not a regular file"),
    ] {
        assert_eq!(replace_secrets(&node, "replace", &format!("{line}\n")), refused(error), "{line}");
        assert_eq!(fs::read(node.path("secrets/token")).expect("token"), b"\0bytes\xff\n", "{line}");
    }
    let (code, _, stderr) = replace_secrets(&node, "replace", "token !!!\n");
    assert!(
        code == Some(1) && stderr.ends_with("error: the bytes of token are damaged: nothing was replaced\n"),
        "{stderr}"
    );
    assert_eq!(fs::read(node.path("secrets/token")).expect("token"), b"\0bytes\xff\n");
    assert_eq!(replace_secrets(&node, "compare", ""), refused("the key is missing"));
    assert_eq!(replace_secrets(&node, "remove", ""), refused("usage: rk1-secrets compare|replace"));
}

const SECRET: &str = "s3cret: \"quoted\" $HOME \\n ü";

/// Runs the script on a file with these bytes. Returns `None` where jq is missing.
/// The bytes of the certificate are those that the hash in a token is made of.
#[test]
fn the_authority_is_placed_in_two_files() {
    let node = Node::new();
    let certificate = "-----BEGIN CERTIFICATE-----\nQUFB\nQkJC\n-----END CERTIFICATE-----\n";
    for label in ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"] {
        let key = format!("-----BEGIN {label}-----\nQ0ND\n-----END {label}-----\n");
        for text in [format!("a comment\n{certificate}{key}"), format!("{key}\n{certificate}the end\n")] {
            fs::write(node.path("authority"), text).expect("authority");
            let (authority, tls) = (node.path("authority"), node.path("server/tls"));
            let [authority, tls] = [&authority, &tls].map(|path| path.to_str().expect("UTF-8"));
            let output = node.run("k3s/server-ca.sh", &[("AUTHORITY", authority), ("TLS", tls)]);
            assert_eq!(String::from_utf8_lossy(&output.stderr), "");
            assert!(output.status.success());
            assert_eq!(
                node.list("server/tls"),
                map([("server-ca.crt", certificate), ("server-ca.key", &key)])
            );
            for path in ["server/tls/server-ca.crt", "server/tls/server-ca.key", "server/tls"] {
                let mode = fs::metadata(node.path(path)).expect("metadata").permissions().mode();
                assert_eq!(mode & 0o077, 0, "{path}");
            }
        }
    }
}

#[test]
fn a_file_that_is_no_authority_is_refused() {
    for text in ["", "-----BEGIN CERTIFICATE-----\nQUFB\n-----END CERTIFICATE-----\n", "no PEM\n"] {
        let node = Node::new();
        fs::write(node.path("authority"), text).expect("authority");
        let (authority, tls) = (node.path("authority"), node.path("server/tls"));
        let [authority, tls] = [&authority, &tls].map(|path| path.to_str().expect("UTF-8"));
        let output = node.run("k3s/server-ca.sh", &[("AUTHORITY", authority), ("TLS", tls)]);
        assert_eq!(output.status.code(), Some(1));
        let expected = format!(
            "error: {authority} does not hold a certificate and its key\n\
             hint: flash the node again, which writes the file\n"
        );
        assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
        assert!(node.list("server/tls").is_empty());
    }
}

fn secret(test: &str, bytes: &[u8]) -> Option<(Node, Output)> {
    if Command::new("jq").arg("--version").output().is_err() {
        requirement::skipped(test, "jq is not installed");
        return None;
    }
    let node = Node::new();
    let file = node.path("azure-dns");
    fs::write(&file, bytes).expect("file");
    let file = file.display().to_string();
    let environment = [
        ("NAME", "azure-dns-secret"),
        ("NAMESPACE", "cert-manager"),
        ("MANAGER", "rk1"),
        ("KEY", "azure_client_secret"),
        ("TYPE", "kubernetes.io/basic-auth"),
        ("FILE", file.as_str()),
    ];
    let output = node.run("kubernetes-secrets/apply.sh", &environment);
    Some((node, output))
}

#[test]
fn a_secret_goes_through_a_pipe_and_nowhere_else() {
    let test = "a_secret_goes_through_a_pipe_and_nowhere_else";
    for line_end in ["", "\n", "\r\n"] {
        let Some((node, output)) = secret(test, format!("{SECRET}{line_end}").as_bytes()) else { return };
        assert!(output.status.success(), "{output:?}");
        let applied: Value =
            serde_json::from_str(&fs::read_to_string(node.path("applied")).expect("applied")).expect("JSON");
        let expected = json!({
            "apiVersion": "v1",
            "kind": "List",
            "items": [
                { "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "cert-manager" } },
                {
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": { "name": "azure-dns-secret", "namespace": "cert-manager" },
                    "type": "kubernetes.io/basic-auth",
                    "data": { "azure_client_secret": BASE64.encode(SECRET.as_bytes()) },
                },
            ],
        });
        assert_eq!(applied, expected);
        // Client-side apply would copy the secret to an annotation.
        let arguments = "kubectl apply --server-side --force-conflicts --field-manager=rk1 --filename=-\n";
        assert_eq!(node.arguments(), arguments);
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b""[..], &b""[..]));
    }
}

#[test]
fn a_secret_keeps_its_bytes() {
    let test = "a_secret_keeps_its_bytes";
    for (written, kept) in [
        (&b"\xff\xfe\n"[..], &b"\xff\xfe"[..]),
        (b"\0a\0", b"\0a\0"),
        (b"a\n\n", b"a\n"),
        (b"a\n\r\n", b"a\n"),
        (b"\nb", b"\nb"),
    ] {
        let Some((node, output)) = secret(test, written) else { return };
        assert!(output.status.success(), "{output:?}");
        let applied: Value =
            serde_json::from_str(&fs::read_to_string(node.path("applied")).expect("applied")).expect("JSON");
        assert_eq!(applied["items"][1]["data"]["azure_client_secret"], BASE64.encode(kept));
    }
}

#[test]
fn a_file_without_content_or_too_large_makes_no_secret() {
    let test = "a_file_without_content_or_too_large_makes_no_secret";
    for (written, told) in [
        (Vec::new(), "azure-dns is empty\n"),
        (b"\n".to_vec(), "azure-dns holds nothing but a line break\n"),
        (b"\r\n".to_vec(), "azure-dns holds nothing but a line break\n"),
        (vec![b'x'; (1 << 20) + 1], "azure-dns is larger than 1 MiB, the limit of a Kubernetes Secret\n"),
    ] {
        let Some((node, output)) = secret(test, &written) else { return };
        assert_eq!(output.status.code(), Some(1), "{told}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.ends_with(told), "{stderr}");
        assert_eq!(node.arguments(), "");
    }
}
