//! A node as the guard sees it: two systems, the profile, and stand-ins for Nix and systemd that record their calls.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

pub(crate) const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/modules/guard/guard.sh");

/// Does to a profile what `nix-env` does: `--switch-generation` to an existing one, and `--set`.
pub(crate) const NIX_ENV: &str = r#"#!/bin/bash
echo "nix-env $*" >>"$NOTES"
profile=$2
case $3 in
--switch-generation)
  [[ -e $profile-$4-link ]] || exit 1
  ln --symbolic --force --no-dereference "${profile##*/}-$4-link" "$profile"
  ;;
--set)
  ln --symbolic --force --no-dereference "$4" "$profile-9-link"
  ln --symbolic --force --no-dereference "${profile##*/}-9-link" "$profile"
  ;;
esac
"#;

/// Makes its system the running one, as a system's own `switch-to-configuration` does. It exits with the number in the
/// file `status`, and makes its system the default of the boot loader, the link `$LOADER`, where there is one. With the file `inhibited` it refuses to switch as NixOS does, unless `NIXOS_NO_CHECK` is 1.
const SWITCH: &str = r#"#!/bin/bash
system=${0%/bin/*}
echo "${system##*/} $*" >>"$NOTES"
[[ -z ${LOADER-} ]] || ln --symbolic --force --no-dereference "$system" "$LOADER"
[[ $1 == boot ]] && exit 0
[[ ! -e $system/inhibited || ${NIXOS_NO_CHECK-} == 1 ]] || exit 1
ln --symbolic --force --no-dereference "$system" "$CURRENT_SYSTEM"
exit "$(<"$system/status")"
"#;

/// Loads a kernel, unless the file `kexec-fails` is there.
const KEXEC: &str = "#!/bin/bash\necho \"kexec $*\" >>\"$NOTES\"\n[[ ! -e ${0%/*}/../kexec-fails ]]\n";

/// No watch is active: the tests run it themselves.
const SYSTEMCTL: &str = "#!/bin/bash\necho \"systemctl $*\" >>\"$NOTES\"\n[[ $1 != is-active ]]\n";
const SYSTEMD_RUN: &str = "#!/bin/bash\necho \"systemd-run $*\" >>\"$NOTES\"\n";

pub(crate) struct Node(TempDir);

impl Node {
    /// Returns a node that runs the system `old`, generation 1 of its profile.
    pub(crate) fn new() -> Self {
        let node = Self(tempfile::tempdir().unwrap());
        for folder in ["bin", "old/bin", "new/bin", "gcroots"] {
            fs::create_dir_all(node.path(folder)).unwrap();
        }
        for (name, text) in
            [("kexec", KEXEC), ("nix-env", NIX_ENV), ("systemctl", SYSTEMCTL), ("systemd-run", SYSTEMD_RUN)]
        {
            program(&node.path("bin").join(name), text);
        }
        for system in ["old", "new"] {
            make_system(&node.path(system));
        }
        symlink(node.path("old"), node.path("profile-1-link")).unwrap();
        symlink("profile-1-link", node.path("profile")).unwrap();
        symlink(node.path("old"), node.path("current-system")).unwrap();
        symlink(node.path("old"), node.path("booted-system")).unwrap();
        node
    }

    /// Changes the node as `nixos-rebuild switch` does.
    pub(crate) fn switch_to_new(&self) {
        self.install_new();
        let _ = fs::remove_file(self.path("current-system"));
        symlink(self.path("new"), self.path("current-system")).unwrap();
    }

    /// Changes the node as `nixos-rebuild boot` does.
    pub(crate) fn install_new(&self) {
        for (target, name) in [(self.path("new"), "profile-2-link"), ("profile-2-link".into(), "profile")] {
            let _ = fs::remove_file(self.path(name));
            symlink(target, self.path(name)).unwrap();
        }
    }

    /// Changes the node as a reboot into `system` does, which may have another kernel.
    pub(crate) fn reboot_into(&self, system: &str) {
        for name in ["current-system", "booted-system"] {
            let _ = fs::remove_file(self.path(name));
            symlink(self.path(system), self.path(name)).unwrap();
        }
        for state in ["armed", "keeping", "reverting"] {
            if self.path("state").join(state).exists() {
                self.note_in(state, "boot", "another");
            }
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, None)
    }

    /// Runs the guard in a process group of its own, with `first` at the head of its search path.
    pub(crate) fn run_with(&self, arguments: &[&str], first: Option<&Path>) -> Output {
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", self.path("bin").display());
        let path = first.map_or(path.clone(), |first| format!("{}:{path}", first.display()));
        Command::new("bash")
            .arg(SCRIPT)
            .args(arguments)
            .env("PATH", path)
            .env("NOTES", self.path("notes"))
            .env("GUARD_STATE", self.path("state"))
            .env("BOOTED_SYSTEM", self.path("booted-system"))
            .env("CURRENT_SYSTEM", self.path("current-system"))
            .env("SYSTEM_PROFILE", self.path("profile"))
            .env("GC_ROOT", self.path("gcroots/rk1-guard"))
            .env("REBOOT_BY", if self.path("no-kexec").exists() { "reboot" } else { "kexec" })
            .process_group(0)
            .output()
            .unwrap()
    }

    #[track_caller]
    pub(crate) fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let told = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{arguments:?}: {told}");
        self.without_paths(&told)
    }

    /// Returns the messages of a run that fails.
    #[track_caller]
    pub(crate) fn fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        self.without_paths(&String::from_utf8(output.stderr).unwrap())
    }

    pub(crate) fn without_paths(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.path().display()), "")
    }

    /// Changes a value that was recorded when the guard was armed.
    pub(crate) fn note(&self, key: &str, value: &str) {
        self.note_in("armed", key, value);
    }

    fn note_in(&self, state: &str, key: &str, value: &str) {
        let file = self.path("state").join(state);
        let text = fs::read_to_string(&file).unwrap();
        let line = |line: &str| {
            if line.starts_with(&format!("{key}=")) { format!("{key}={value}") } else { line.into() }
        };
        fs::write(&file, text.lines().map(line).collect::<Vec<_>>().join("\n") + "\n").unwrap();
    }

    /// Makes the guard believe that it was armed long ago.
    pub(crate) fn let_the_deadline_pass(&self) {
        self.note("limit", "1");
        self.note("armed_at", "0");
    }

    /// Returns the calls of other programs since the last call of this method.
    pub(crate) fn calls(&self) -> String {
        let notes = fs::read_to_string(self.path("notes")).unwrap_or_default();
        let _ = fs::remove_file(self.path("notes"));
        self.without_paths(&notes)
    }

    fn target(&self, link: &str) -> String {
        self.without_paths(&fs::canonicalize(self.path(link)).unwrap().to_string_lossy())
    }

    /// Returns the running system, the profile's system, and whether the old one is kept from the garbage collector.
    pub(crate) fn systems(&self) -> (String, String, bool) {
        let is_kept = self.path("gcroots/rk1-guard").is_symlink();
        (self.target("current-system"), self.target("profile"), is_kept)
    }

    /// Returns the value of a key that `rk1-guard state` prints.
    #[track_caller]
    pub(crate) fn state(&self, key: &str) -> String {
        let told = self.succeeds(&["state"]);
        let value = told.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        value.unwrap_or_default().to_owned()
    }
}

/// Makes a system whose kernel is that of all the others.
pub(crate) fn make_system(path: &Path) {
    program(&path.join("bin/switch-to-configuration"), SWITCH);
    fs::write(path.join("status"), "0").unwrap();
    for part in ["kernel", "initrd", "kernel-modules", "dtbs"] {
        symlink(format!("/nix/store/{part}"), path.join(part)).unwrap();
    }
    fs::write(path.join("init"), "").unwrap();
    fs::write(path.join("kernel-params"), "panic=10").unwrap();
}

pub(crate) fn program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The systems of a node that runs `system` and keeps no other one.
pub(crate) fn only(system: &str) -> (String, String, bool) {
    (system.to_owned(), system.to_owned(), false)
}
