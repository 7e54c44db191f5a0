//! `rk1 render` and the disk: which files it writes, removes and never touches.

#![allow(clippy::expect_used, reason = "what is not as it should be ends the run")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use snapbox::{Data, assert_data_eq};
use tempfile::TempDir;

const FILES: [&str; 7] =
    [".rendered", "cluster.nix", "default.nix", "rk1-01.nix", "rk1-02.nix", "rk1-03.nix", "rk1-04.nix"];

/// A folder with a cluster file in it.
struct Project(TempDir);

impl Project {
    fn new() -> Self {
        let project = Self(tempfile::tempdir().expect("temporary folder"));
        project.describe(include_str!("../config/check/base.toml"));
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn describe(&self, cluster: &str) {
        fs::write(self.path("cluster.toml"), cluster).expect("cluster.toml");
    }

    fn rk1(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rk1"))
            .args(arguments)
            .current_dir(self.0.path())
            .env("NO_COLOR", "1")
            .output()
            .expect("rk1 runs")
    }

    fn hosts(&self) -> Vec<(String, String)> {
        let mut files: Vec<_> = fs::read_dir(self.path("hosts"))
            .expect("hosts")
            .map(|entry| entry.expect("entry"))
            .map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                (name, fs::read_to_string(entry.path()).expect("text"))
            })
            .collect();
        files.sort();
        files
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// The cluster file without its last node.
fn three_nodes() -> String {
    let base = include_str!("../config/check/base.toml");
    let start = base.find("[[node]]\nname = \"rk1-04\"").expect("rk1-04");
    let end = base.find("[storage]").expect("[storage]");
    [&base[..start], &base[end..]].concat()
}

#[test]
fn a_second_run_changes_nothing() {
    let project = Project::new();
    assert!(project.rk1(&["render"]).status.success());
    let first = project.hosts();
    assert_eq!(first.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), FILES);

    let second = project.rk1(&["render"]);
    assert!(second.status.success());
    assert_eq!(text(&second.stderr), "17 files, all up to date\n");
    assert_eq!(project.hosts(), first);
}

#[test]
fn the_repository_is_up_to_date() {
    let output = Command::new(env!("CARGO_BIN_EXE_rk1"))
        .args(["render", "--check"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("rk1 runs");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), ""));
}

/// The folders in examples/ that hold a cluster.
fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries = fs::read_dir(folder).expect("examples").map(|entry| entry.expect("entry").path());
    let mut examples: Vec<_> = entries.filter(|path| path.join("cluster.toml").exists()).collect();
    examples.sort();
    examples
}

/// All that is rendered for each example, compared byte for byte.
#[test]
fn the_examples_are_up_to_date() {
    let mut names = Vec::new();
    for example in examples() {
        let output = Command::new(env!("CARGO_BIN_EXE_rk1"))
            .args(["render", "--check"])
            .current_dir(&example)
            .output()
            .expect("rk1 runs");
        let name = example.file_name().unwrap_or_default().to_string_lossy().into_owned();
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), ""), "{name}");
        let last = text(&output.stderr).lines().last().unwrap_or_default().to_owned();
        names.push(format!("{name}: {last}"));
    }
    let expected = [
        "dual-stack: 19 files, all up to date",
        "mixed-modules: 16 files, all up to date",
        "own-authority: 15 files, all up to date",
        "single-node: 11 files, all up to date",
        "two-boards: 22 files, all up to date",
        "unifi: 15 files, all up to date",
    ];
    assert_eq!(names, expected);
}

/// NixOS reads the data of an older release by this value, so an update must not change it.
#[test]
fn a_host_keeps_the_state_version_that_it_was_first_rendered_with() {
    let project = Project::new();
    project.rk1(&["render"]);
    let file = project.path("hosts/rk1-02.nix");
    let rendered = fs::read_to_string(&file).expect("text");
    assert_eq!(rendered.matches("  system.stateVersion = \"26.05\";\n").count(), 1);

    let older = rendered.replace("26.05", "25.11");
    fs::write(&file, &older).expect("older");
    assert_eq!(text(&project.rk1(&["render"]).stderr), "17 files, all up to date\n");
    // Other changes of the same file are rendered.
    fs::write(&file, older.replace("server\"", "agent\"")).expect("edited");
    assert_eq!(project.rk1(&["render", "--check"]).status.code(), Some(1));
    project.rk1(&["render"]);
    assert_eq!(fs::read_to_string(&file).expect("text"), older);
}

/// What all nodes share is a default, and each node says only what differs.
#[test]
fn each_node_has_the_interface_that_is_written_for_it() {
    let project = Project::new();
    let shared =
        r#"interface = { name = "en*", vlan = 42, mtu = 9000, dhcp = true, search-domains = ["home.arpa"], \
routes = [{ to = "10.8.0.0/16", via = "172.16.10.254" }] }"#
            .replace("\\\n", "");
    let own = r#"interface = { mac = "02:00:5E:10:00:01", dhcp = false, routes = [], search-domains = [] }"#;
    let cluster = include_str!("../config/check/base.toml")
        .replace("gateway = \"172.16.10.1\"\n", &format!("gateway = \"172.16.10.1\"\n{shared}\n"))
        .replace("address = \"172.16.10.224/24\"\n", &format!("address = \"172.16.10.224/24\"\n{own}\n"));
    project.describe(&cluster);
    let rendered = project.rk1(&["render"]);
    assert!(rendered.status.success(), "{}", text(&rendered.stderr));
    let hosts: std::collections::HashMap<_, _> = project.hosts().into_iter().collect();
    let of_all = r#"    network = {
      gateway = "172.16.10.1";
      nameservers = [ "172.16.10.1" ];
      interface = lib.mkDefault "en*";
      vlan = lib.mkDefault 42;
      mtu = lib.mkDefault 9000;
      dhcp = lib.mkDefault true;
      routes = lib.mkDefault [
        {
          to = "10.8.0.0/16";
          via = "172.16.10.254";
        }
      ];
      searchDomains = lib.mkDefault [ "home.arpa" ];
    };
"#;
    assert!(hosts["cluster.nix"].contains(of_all), "{}", hosts["cluster.nix"]);
    let of_node = r#"  rk1 = {
    network = {
      address = "172.16.10.224/24";
      macAddress = "02:00:5e:10:00:01";
      dhcp = false;
      routes = [ ];
      searchDomains = [ ];
    };

    k3s = {"#;
    assert!(hosts["rk1-04.nix"].contains(of_node), "{}", hosts["rk1-04.nix"]);
    assert!(hosts["rk1-01.nix"].contains("    network.address = \"172.16.10.221/24\";\n"));
}

#[test]
fn check_prints_a_diff_and_writes_nothing() {
    let project = Project::new();
    project.rk1(&["render"]);
    let file = project.path("hosts/rk1-01.nix");
    let edited = fs::read_to_string(&file).expect("text").replace("clusterInit = true", "clusterInit = tru");
    fs::write(&file, &edited).expect("edit");

    let output = project.rk1(&["render", "--check"]);
    assert_eq!(output.status.code(), Some(1));
    let expected = "--- a/hosts/rk1-01.nix\n+++ b/hosts/rk1-01.nix\n@@ -18,7 +18,7 @@\n \n     k3s = {\n       \
                    role = \"server\";\n-      clusterInit = tru;\n+      clusterInit = true;\n       \
                    serverCaFile = \"/var/lib/rk1/secrets/k3s-server-ca\";\n     };\n   };\n";
    assert_eq!(text(&output.stdout), expected);
    assert_eq!(text(&output.stderr), "1 file differs: run `rk1 render`\n");
    assert_eq!(fs::read_to_string(&file).expect("text"), edited);
}

#[test]
fn a_file_that_is_no_longer_rendered_is_removed() {
    let project = Project::new();
    project.rk1(&["render"]);
    let own = ["hosts/rk1-04.local.nix", "hosts/notes.txt"];
    for name in own {
        fs::write(project.path(name), "mine").expect("own file");
    }
    project.describe(&three_nodes());

    let check = project.rk1(&["render", "--check"]);
    assert_eq!(check.status.code(), Some(1));
    assert!(project.path("hosts/rk1-04.nix").exists());

    assert!(project.rk1(&["render"]).status.success());
    assert!(!project.path("hosts/rk1-04.nix").exists());
    for name in own {
        assert_eq!(fs::read_to_string(project.path(name)).expect("own file"), "mine");
    }
}

#[test]
fn a_foreign_file_is_not_overwritten() {
    let project = Project::new();
    fs::create_dir(project.path("hosts")).expect("hosts");
    fs::write(project.path("hosts/rk1-02.nix"), "{ }\n").expect("own file");

    let output = project.rk1(&["render"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        "error: `hosts/rk1-02.nix` was not written by `rk1 render` and would be overwritten: move it away\n"
    );
    assert_eq!(project.hosts(), [("rk1-02.nix".to_owned(), "{ }\n".to_owned())]);
}

#[test]
fn a_list_cannot_lead_out_of_its_folder() {
    let project = Project::new();
    project.rk1(&["render"]);
    let list = fs::read_to_string(project.path("hosts/.rendered")).expect("list");
    let list = format!("{list}../cluster.toml\n/etc/hostname\n.\n..\n");
    fs::write(project.path("hosts/.rendered"), list).expect("list");
    fs::remove_file(project.path("hosts/rk1-01.nix")).expect("remove");
    assert!(project.rk1(&["render"]).status.success());
    assert!(project.path("cluster.toml").exists());
    assert!(Path::new("/etc/hostname").exists());
}

#[test]
fn a_wrong_file_is_refused_before_anything_is_written() {
    let project = Project::new();
    project.describe("[cluster]\n");
    assert_eq!(project.rk1(&["render"]).status.code(), Some(1));
    assert!(!project.path("hosts").exists());
}

#[test]
fn exit_codes_tell_mistakes_from_misuse() {
    let project = Project::new();
    assert_eq!(project.rk1(&["render", "--no-such-flag"]).status.code(), Some(2));
    let missing = project.rk1(&["check", "--file", "missing.toml"]);
    assert_eq!(missing.status.code(), Some(1));
    assert_eq!(
        text(&missing.stderr),
        "error: `missing.toml` does not exist\n  hint: check the name after `--file` or in RK1_FILE\n"
    );
}

/// The output ends early, as with `| true`; the exit code does not.
#[test]
fn a_reader_that_stops_early_does_not_change_the_exit_code() {
    let project = Project::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_rk1"))
        .args(["render", "--check"])
        .current_dir(project.0.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("rk1 runs");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("rk1 ends").code(), Some(1));
}

/// Two routes. Only the second's namespace has the label for which the gateway accepts it.
const PAGE: &str = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: blog\n\
                    ---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata:\n  name: blog\n  namespace: blog\n\
                    spec:\n  parentRefs:\n    - name: shared\n      namespace: gateway\n  hostnames:\n    \
                    - blog.virtualthoughts.co.uk\n\
                    ---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: wiki\n  labels:\n    gateway.rk1/shared: allow\n\
                    ---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata:\n  name: wiki\n  namespace: wiki\n\
                    spec:\n  parentRefs:\n    - name: shared\n      namespace: gateway\n  hostnames:\n    \
                    - wiki.virtualthoughts.co.uk\n";

const OWN: &[(&str, &str)] = &[
    (
        "70-mine.yaml",
        "# A route and what it serves.\n\
         apiVersion: gateway.networking.k8s.io/v1\n\
         kind: HTTPRoute\n\
         metadata:\n  name: web\n  namespace: web\n\
         spec:\n  parentRefs:\n    - name: shared\n      namespace: gateway\n  hostnames:\n    \
         - hubble.virtualthoughts.co.uk\n  rules:\n    - backendRefs:\n        - name: web\n          prot: 80\n\
         ---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n",
    ),
    ("71-gateway.yaml", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: gateway\n"),
    ("72-secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: token\n  namespace: web\n"),
    ("73-not-yaml.yaml", "kind: [\n"),
    ("30-bgp.mine.yaml", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: mine\n"),
    ("74-page.yaml", PAGE),
    ("notes.yml", "kind: Deployment\n"),
    ("traefik.yaml", ""),
];

/// Known kinds are checked with file and line, others are left alone with a note.
#[test]
fn own_manifests_are_checked() {
    let project = Project::new();
    assert!(project.rk1(&["render"]).status.success());
    for (name, body) in OWN {
        fs::write(project.path("manifests").join(name), body).expect("own file");
    }
    let expected =
        Data::read_from(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/render/own-manifests.txt"), None);
    for arguments in [&["check"][..], &["render"]] {
        let output = project.rk1(arguments);
        assert_eq!(output.status.code(), Some(1));
        assert_data_eq!(text(&output.stderr), expected.clone().raw());
    }
    let json = project.rk1(&["check", "--json"]);
    let problems: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    let files: std::collections::BTreeSet<_> =
        problems.as_array().expect("a list").iter().filter_map(|each| each["file"].as_str()).collect();
    assert_eq!(files.len(), OWN.len(), "{files:?}");
}

/// Files of unknown kinds do not stop a rendering.
#[test]
fn own_manifests_of_unknown_kinds_are_left_alone() {
    let project = Project::new();
    project.rk1(&["render"]);
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n";
    fs::write(project.path("manifests/70-mine.yaml"), deployment).expect("own file");
    let output = project.rk1(&["render"]);
    assert!(output.status.success());
    let expected = "manifests/70-mine.yaml: not checked, because rk1 has no schema: Deployment\n17 files, all up to date\n";
    assert_eq!(text(&output.stderr), expected);
}
