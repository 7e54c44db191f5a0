//! A cluster that is well, for tests to spoil, and what runs `rk1 deploy` on it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use snapbox::{Data, assert_data_eq};
use tempfile::TempDir;

use crate::host::{Module, SSH_OPTIONS};
use crate::kubernetes::Kubernetes;
use crate::node::{Node, SCRIPT, program};

pub(crate) const NODES: [(&str, &str); 4] = [
    ("rk1-01", "172.16.10.221"),
    ("rk1-02", "172.16.10.222"),
    ("rk1-03", "172.16.10.223"),
    ("rk1-04", "172.16.10.224"),
];

/// The stand-in for `ssh`. It refuses a call without the options. A file `silent` in a node's folder cuts the node off; with
/// the file `etcd` its etcd is not ready.
const SSH: &str = r#"#!/bin/bash
[[ "$* " == "OPTIONS "* ]] || { echo "ssh: called with $*" >&2; exit 99; }
shift 10
destination=$1
shift
node=FOLDER/nodes/${destination#root@}
if [[ -e $node/silent ]]; then
  echo "ssh: connect to host ${destination#root@} port 22: No route to host" >&2
  exit 255
fi
case "$*" in
"sh -s")
  PATH=FOLDER/hosts/$destination:$PATH exec sh -s
  ;;
"rk1-guard "*)
  [[ -e $node/no-guard ]] && { echo "bash: line 1: rk1-guard: command not found" >&2; exit 127; }
  export PATH=$node/bin:$PATH NOTES=$node/notes GUARD_STATE=$node/state CURRENT_SYSTEM=$node/current-system
  export BOOTED_SYSTEM=$node/booted-system REBOOT_BY=kexec SYSTEM_PROFILE=$node/profile GC_ROOT=$node/gcroots/rk1-guard
  exec bash @SCRIPT@ "${@:2}"
  ;;
"rk1-secrets "*)
  [[ -e $node/no-secrets ]] && { echo "bash: line 1: rk1-secrets: command not found" >&2; exit 127; }
  echo "$*" >>FOLDER/secret-calls
  export SECRETS=$node/secrets
  tee -a FOLDER/secret-inputs | bash REPOSITORY/modules/replace-secrets.sh "${@:2}"
  ;;
"k3s kubectl get --raw=/readyz/etcd")
  [[ -e $node/etcd ]] && { echo "Error from server (InternalError): etcd failed: reason withheld" >&2; exit 1; }
  echo -n ok
  ;;
*)
  echo "ssh: called with $*" >&2
  exit 99
  ;;
esac
"#;

/// The stand-in for `nixos-rebuild`. It refuses to run without the options of ssh.
const NIXOS_REBUILD: &str = r#"#!/bin/bash
echo "nixos-rebuild $*" >>FOLDER/rebuilds
[[ $NIX_SSHOPTS == "OPTIONS" ]] || { echo "error: NIX_SSHOPTS is '$NIX_SSHOPTS'" >&2; exit 99; }
[[ $2 == --flake && $4 == --target-host ]] || { echo "error: called with $*" >&2; exit 99; }
node=$(realpath "FOLDER/nodes/${5#root@}")
echo "building the system configuration..." >&2
case $1 in
dry-activate)
  [[ -e $node/build-fails ]] && { echo "error: attribute 'rk1.k3s.relase' does not exist" >&2; exit 1; }
  ;;
boot)
  ln -sfn "$node/new" "$node/profile-2-link"
  ln -sfn profile-2-link "$node/profile"
  ;;
switch)
  ln -sfn "$node/new" "$node/profile-2-link"
  ln -sfn profile-2-link "$node/profile"
  "$node/new/bin/switch-to-configuration" switch || exit 1
  if [[ -e $node/hangs ]]; then
    echo $$ >"$node/hangs-as.new"
    mv "$node/hangs-as.new" "$node/hangs-as"
    exec sleep 600
  fi
  ;;
esac
[[ -e $node/unchanged ]] && { echo "$node/old"; exit; }
echo "$node/new"
"#;

/// Runs the watch, as systemd would: the last two arguments are the guard and its order.
const SYSTEMD_RUN: &str = "#!/bin/bash\nsetsid bash \"${@: -2:1}\" watch >/dev/null 2>&1 </dev/null &\n";
/// A reboot starts the new system at once. With the file `kernel-hangs`, the boot loader starts the old one again.
const SYSTEMCTL: &str = r#"#!/bin/bash
if [[ $* == "--no-block kexec" ]]; then
  sed -i 's/^boot=.*/boot=before/' "$GUARD_STATE/armed"
  node=${CURRENT_SYSTEM%/*}
  if [[ -e $node/kernel-hangs ]]; then
    touch "$node/silent"
    (sleep 4; rm "$node/silent") >/dev/null 2>&1 </dev/null &
    exit
  fi
  for link in "$CURRENT_SYSTEM" "$BOOTED_SYSTEM"; do ln -sfn "$(realpath "$SYSTEM_PROFILE")" "$link"; done
  exit
fi
[[ $1 != is-active ]]
"#;

/// A system's own, as far as the node itself sees it.
const SWITCH: &str = r#"#!/bin/bash
system=${0%/bin/*}
node=${system%/*}
[[ $1 == boot ]] && exit
ln -sfn "$system" "$node/current-system"
"#;

pub(crate) struct TestCluster {
    pub(crate) folder: TempDir,
    nodes: BTreeMap<&'static str, Node>,
    pub(crate) kubernetes: Kubernetes,
    text: String,
}

impl TestCluster {
    pub(crate) fn well() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display().to_string();
        let script = |text: &str| {
            text.replace("OPTIONS", SSH_OPTIONS)
                .replace("FOLDER", &at)
                .replace("REPOSITORY", env!("CARGO_MANIFEST_DIR"))
        };
        let hosts = NODES.map(|(_, address)| (format!("root@{address}"), Module::well().host()));
        crate::host::write(folder.path(), &hosts.into());
        program(&folder.path().join("bin/ssh"), &script(SSH).replace("@SCRIPT@", SCRIPT));
        program(&folder.path().join("bin/nixos-rebuild"), &script(NIXOS_REBUILD));
        fs::create_dir(folder.path().join("nodes")).unwrap();
        let nodes = NODES.map(|(name, address)| {
            let node = Node::new();
            program(&node.path("bin/systemd-run"), SYSTEMD_RUN);
            program(&node.path("bin/systemctl"), SYSTEMCTL);
            for system in ["old", "new"] {
                program(&node.path(system).join("bin/switch-to-configuration"), SWITCH);
            }
            std::os::unix::fs::symlink(node.path(""), folder.path().join("nodes").join(address)).unwrap();
            (name, node)
        });
        let kubernetes = Kubernetes::serve(folder.path());
        fs::write(folder.path().join("kubeconfig"), kubernetes.kubeconfig()).unwrap();
        // The nodes alone say how the sessions are.
        let text = include_str!("../../config/check/base.toml").replace(
            "version = \"7.18\"\n",
            "version = \"7.18\"\n\n[bgp.router.status]\nenable = false\nuser = \"rk1\"\n",
        );
        Self { folder, nodes: nodes.into(), kubernetes, text }
    }

    pub(crate) fn path(&self, node: &str, file: &str) -> PathBuf {
        self.nodes[node].path(file)
    }

    /// Makes a file in a node's folder, which the stand-ins look for.
    pub(crate) fn mark(&self, node: &str, file: &str) {
        fs::write(self.path(node, file), "").unwrap();
    }

    /// What becomes of a node when one of its systems is activated: lines of a script, in the node's folder.
    pub(crate) fn when_activated(&self, node: &str, system: &str, script: &str) {
        let file = self.path(node, system).join("bin/switch-to-configuration");
        let text = fs::read_to_string(&file).unwrap();
        program(&file, &format!("{text}cd \"$node\" || exit\n{script}\n"));
    }

    pub(crate) fn node(&self, node: &str) -> &Node {
        &self.nodes[node]
    }

    /// What is wrong with a module, in place of what is well with it.
    pub(crate) fn module(&self, node: &str, spoil: impl FnOnce(&mut Module)) {
        let mut module = Module::well();
        spoil(&mut module);
        let address = NODES.iter().find(|(name, _)| *name == node).unwrap().1;
        let other = tempfile::tempdir().unwrap();
        crate::host::write(other.path(), &BTreeMap::from([(format!("root@{address}"), module.host())]));
        let hosts = self.folder.path().join("hosts");
        let to = hosts.join(format!("root@{address}"));
        fs::remove_dir_all(&to).unwrap();
        copy(&other.path().join("hosts").join(format!("root@{address}")), &to);
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        fs::write(self.folder.path().join("cluster.toml"), &self.text).unwrap();
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_rk1"));
        command
            .arg("deploy")
            .args(arguments)
            .current_dir(self.folder.path())
            .env("PATH", format!("{}:{path}", self.folder.path().join("bin").display()))
            .env("KUBECONFIG", self.folder.path().join("kubeconfig"))
            .env("NO_COLOR", "1")
            .env_remove("NIX_SSHOPTS")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Deploys, and compares what is printed with the screen of this name.
    pub(crate) fn deploy(&self, screen: &str, arguments: &[&str]) {
        self.compare(screen, &self.command(arguments).output().unwrap());
    }

    pub(crate) fn compare(&self, screen: &str, output: &Output) {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (data, words) = (text(&output.stdout), text(&output.stderr));
        let code = output.status.code().expect("an exit code");
        let mut printed = format!("{data}--- standard error\n{words}--- exit code {code}\n");
        for (name, node) in &self.nodes {
            printed = printed.replace(&node.path("").display().to_string(), &format!("/{name}/"));
        }
        let path = format!("{}/tests/operate/deploy/screens/{screen}.txt", env!("CARGO_MANIFEST_DIR"));
        assert_data_eq!(printed, Data::read_from(path.as_ref(), None).raw());
    }

    /// Each node that runs its new system, and each whose guard still waits.
    pub(crate) fn switched(&self) -> (Vec<&str>, Vec<&str>) {
        let runs_new = |node: &Node| node.systems().0 == "new";
        let waits =
            |node: &Node| ["armed", "reverting"].iter().any(|state| node.path("state").join(state).exists());
        let these = |is: &dyn Fn(&Node) -> bool| {
            self.nodes.iter().filter(|(_, node)| is(node)).map(|(name, _)| *name).collect()
        };
        (these(&runs_new), these(&waits))
    }

    /// Writes a secret that `cluster.toml` names to its file.
    pub(crate) fn write_secret(&self, name: &str, bytes: &[u8]) {
        let folder = self.folder.path().join("secrets");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), bytes).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// A file of the stand-ins, which is empty if nothing was written to it.
    pub(crate) fn noted(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// The `nixos-rebuild` that were run.
    pub(crate) fn rebuilds(&self) -> String {
        fs::read_to_string(self.folder.path().join("rebuilds")).unwrap_or_default()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
