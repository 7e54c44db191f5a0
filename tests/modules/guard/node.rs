//! A node as far as the guard sees it: two systems, the profile, and stand-ins for Nix and systemd that note their calls.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

pub(crate) const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/modules/guard/guard.sh");

/// As `nix-env` does it for a profile: `--switch-generation` of one that is there, and `--set`.
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

/// As a system's own does it, as far as anybody can see: the running system is this one. It ends as `status` says.
pub(crate) const SWITCH: &str = r#"#!/bin/bash
system=${0%/bin/*}
echo "${system##*/} $*" >>"$NOTES"
ln --symbolic --force --no-dereference "$system" "$CURRENT_SYSTEM"
exit "$(<"$system/status")"
"#;

/// No watch runs: the tests run it themselves.
const SYSTEMCTL: &str = "#!/bin/bash\necho \"systemctl $*\" >>\"$NOTES\"\n[[ $1 != is-active ]]\n";
const SYSTEMD_RUN: &str = "#!/bin/bash\necho \"systemd-run $*\" >>\"$NOTES\"\n";

pub(crate) struct Node(TempDir);

impl Node {
    /// It runs the system `old`, generation 1 of its profile.
    pub(crate) fn new() -> Self {
        let node = Self(tempfile::tempdir().unwrap());
        for folder in ["bin", "old/bin", "new/bin", "gcroots"] {
            fs::create_dir_all(node.path(folder)).unwrap();
        }
        for (name, text) in [("nix-env", NIX_ENV), ("systemctl", SYSTEMCTL), ("systemd-run", SYSTEMD_RUN)] {
            program(&node.path("bin").join(name), text);
        }
        for system in ["old", "new"] {
            program(&node.path(system).join("bin/switch-to-configuration"), SWITCH);
            fs::write(node.path(system).join("status"), "0").unwrap();
        }
        symlink(node.path("old"), node.path("profile-1-link")).unwrap();
        symlink("profile-1-link", node.path("profile")).unwrap();
        symlink(node.path("old"), node.path("current-system")).unwrap();
        node
    }

    /// As `nixos-rebuild switch` does it.
    pub(crate) fn switch_to_new(&self) {
        for (target, name) in [
            (self.path("new"), "profile-2-link"),
            ("profile-2-link".into(), "profile"),
            (self.path("new"), "current-system"),
        ] {
            let _ = fs::remove_file(self.path(name));
            symlink(target, self.path(name)).unwrap();
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, None)
    }

    /// With programs that come before all others on the search path, and in a process group of its own.
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
            .env("CURRENT_SYSTEM", self.path("current-system"))
            .env("SYSTEM_PROFILE", self.path("profile"))
            .env("GC_ROOT", self.path("gcroots/rk1-guard"))
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

    /// What it says when it fails.
    #[track_caller]
    pub(crate) fn fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        self.without_paths(&String::from_utf8(output.stderr).unwrap())
    }

    pub(crate) fn without_paths(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.path().display()), "")
    }

    /// Changes what was noted when the guard was armed.
    pub(crate) fn note(&self, key: &str, value: &str) {
        let file = self.path("state/armed");
        let text = fs::read_to_string(&file).unwrap();
        let line = |line: &str| {
            if line.starts_with(&format!("{key}=")) { format!("{key}={value}") } else { line.into() }
        };
        fs::write(&file, text.lines().map(line).collect::<Vec<_>>().join("\n") + "\n").unwrap();
    }

    /// As if the node had been armed long ago.
    pub(crate) fn let_the_deadline_pass(&self) {
        self.note("limit", "1");
        self.note("armed_at", "0");
    }

    /// The calls of what the guard runs, since the last time that this was asked.
    pub(crate) fn calls(&self) -> String {
        let notes = fs::read_to_string(self.path("notes")).unwrap_or_default();
        let _ = fs::remove_file(self.path("notes"));
        self.without_paths(&notes)
    }

    fn target(&self, link: &str) -> String {
        self.without_paths(&fs::canonicalize(self.path(link)).unwrap().to_string_lossy())
    }

    /// The system that runs, the one that the profile has, and whether the garbage collector has to keep the old one.
    pub(crate) fn systems(&self) -> (String, String, bool) {
        let is_kept = self.path("gcroots/rk1-guard").is_symlink();
        (self.target("current-system"), self.target("profile"), is_kept)
    }

    /// The value of a key of `rk1-guard state`.
    #[track_caller]
    pub(crate) fn state(&self, key: &str) -> String {
        let told = self.succeeds(&["state"]);
        let value = told.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        value.unwrap_or_default().to_owned()
    }
}

pub(crate) fn program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The systems of a node that runs `system`, and whose old one need not be kept.
pub(crate) fn only(system: &str) -> (String, String, bool) {
    (system.to_owned(), system.to_owned(), false)
}
