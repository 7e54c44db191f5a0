//! The root filesystem of a host: its units, scripts and files below /etc as evaluated, over Debian's programs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::evaluation::{Evaluation, write};
use crate::units;

/// Stand-ins by the first part of their package's name, and the program that they are.
const STAND_INS: [(&str, &str, &str); 6] = [
    ("k3s_1_36", "k3s", include_str!("guest/k3s")),
    ("nsncd", "nsncd", include_str!("guest/notify")),
    ("logrotate", "logrotate", "#!/bin/sh\n"),
    ("nettools", "hostname", "#!/bin/sh\n"),
    ("nettools", "domainname", "#!/bin/sh\n"),
    ("audit", "auditctl", "#!/bin/sh\n"),
];

/// The activation, which is NixOS's, needs Perl modules. Users and /etc are in the image instead.
const ACTIVATE: &str = "#!/bin/sh
ln -sfn \"${0%/*}\" /run/current-system
cat /etc/hostname >/proc/sys/kernel/hostname
";

/// The units of Nix's own package, which Debian packages separately.
const NIX_DAEMON: [(&str, &str); 2] = [
    (
        "nix-daemon.service",
        "[Unit]\nRequires=nix-daemon.socket\n[Service]\nExecStart=/usr/bin/nix-daemon --daemon\n",
    ),
    (
        "nix-daemon.socket",
        "[Unit]\nBefore=multi-user.target\n[Socket]\nListenStream=/nix/var/nix/daemon-socket/socket\n",
    ),
];

const REPORT_UNIT: &str = "[Unit]
Description=Report to the test
After=multi-user.target
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/bin/bash /opt/report
StandardOutput=journal+console
StandardError=journal+console
";

/// Runs a program that has to succeed.
pub(crate) fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Builds the tree at `root`. `debian` is Debian's, and `streamer` the cross-built program.
pub(crate) fn build(root: &Path, evaluation: &Evaluation, debian: &Path, streamer: &Path) {
    let host = &evaluation.host;
    run(Command::new("cp").arg("-a").arg(debian).arg(root));
    for (package, name, text) in STAND_INS {
        let package = root.join("opt/stand-ins").join(package);
        write(&package.join("bin").join(name), text, 0o755);
        if !package.join("sbin").exists() {
            symlink("bin", package.join("sbin")).expect("a link");
        }
    }
    fs::create_dir_all(root.join("opt/stand-ins/xdp/bin")).expect("a folder");
    fs::copy(streamer, root.join("opt/stand-ins/xdp/bin/xdp-streamer")).expect("the streamer");

    // Only the units that NixOS installs.
    let upstream = root.join("usr/lib/systemd/debian");
    fs::rename(root.join("usr/lib/systemd/system"), &upstream).expect("units");
    let _ = fs::remove_dir_all(root.join("etc/systemd"));
    let system = &host["boot"]["system"];
    let directory = root.join("etc/systemd/system");
    for (name, text) in NIX_DAEMON {
        write(&upstream.join(name), text, 0o644);
    }
    units::install(system, &upstream, &directory);
    evaluation.place(root, &units::texts(system));
    etc(root, evaluation);

    write(&root.join("etc/udev/rules.d/99-local.rules"), text(&host["udevRules"]), 0o644);
    users(root, evaluation);
    toplevel(root, evaluation);
    registration(root, text(&host["toplevel"]));

    write(&root.join("opt/report"), include_str!("guest/report"), 0o755);
    write(&directory.join("report.service"), REPORT_UNIT, 0o644);
    let wants = directory.join("multi-user.target.wants");
    symlink("../report.service", wants.join("report.service")).expect("a link");
}

fn etc(root: &Path, evaluation: &Evaluation) {
    for (target, file) in evaluation.host["etc"].as_object().expect("files") {
        let source = text(&file["source"]);
        let link = root.join("etc").join(target);
        if target.starts_with("systemd/system") || target.starts_with("udev/") {
            continue;
        }
        if target == "tmpfiles.d" {
            tmpfiles(root, evaluation, source.trim_end_matches("/*"));
        } else if evaluation.text(source).is_some() {
            evaluation.place(root, source);
            fs::create_dir_all(link.parent().expect("a folder")).expect("a folder");
            let _ = fs::remove_file(&link);
            symlink(source, &link).expect("a link");
        }
    }
    // A link of NixOS's that leads to /run.
    let _ = fs::remove_file(root.join("etc/resolv.conf"));
    symlink("/run/systemd/resolve/stub-resolv.conf", root.join("etc/resolv.conf")).expect("a link");
}

/// Debian's systemd has its own rules in /usr/lib/tmpfiles.d.
fn tmpfiles(root: &Path, evaluation: &Evaluation, directory: &str) {
    for package in evaluation.environment(directory, "paths").split_whitespace() {
        let path = package.trim_end_matches("/lib/tmpfiles.d");
        let name = path.split_once('-').map_or(path, |(_, name)| name);
        let names = [name, "00-nixos.conf"];
        for name in names {
            if let Some(text) = evaluation.text(&format!("{package}/{name}")) {
                // The rule for the place of other distributions' loader would remove that of Debian's programs.
                let kept = |line: &&str| !line.contains(" /lib") && !line.contains("'/lib");
                let text: String = text.lines().filter(kept).flat_map(|line| [line, "\n"]).collect();
                write(&root.join("etc/tmpfiles.d").join(name), &text, 0o644);
                evaluation.place(root, &text);
            }
        }
    }
}

/// Writes the users and groups that NixOS's activation would make.
fn users(root: &Path, evaluation: &Evaluation) {
    let spec: Value = serde_json::from_str(&evaluation.named("users-groups.json")).expect("users");
    let list = |key: &str| spec[key].as_array().expect("a list").clone();
    let (mut passwd, mut shadow, mut group) = (String::new(), String::new(), String::new());
    let number = |value: &Value, free: &mut u64| {
        value.as_u64().unwrap_or_else(|| {
            *free -= 1;
            *free
        })
    };
    let mut free = 999;
    let mut gids = std::collections::BTreeMap::new();
    for entry in list("groups") {
        let gid = number(&entry["gid"], &mut free);
        gids.insert(text(&entry["name"]).to_owned(), gid);
        let members: Vec<&str> = entry["members"].as_array().expect("members").iter().map(text).collect();
        group.extend([&format!("{}:x:{gid}:", text(&entry["name"])), &*members.join(","), "\n"]);
    }
    for entry in list("users") {
        let uid = number(&entry["uid"], &mut free);
        let (name, home) = (text(&entry["name"]), text(&entry["home"]));
        let gid = gids.get(text(&entry["group"])).copied().unwrap_or(65534);
        let shell = if name == "root" { "/bin/bash" } else { "/usr/sbin/nologin" };
        passwd.extend([format!("{name}:x:{uid}:{gid}::{home}:{shell}\n")]);
        shadow.extend([name, ":*:1::::::\n"]);
    }
    for (file, text, mode) in [("passwd", passwd, 0o644), ("shadow", shadow, 0o600), ("group", group, 0o644)]
    {
        write(&root.join("etc").join(file), &text, mode);
    }
}

/// The system's own store path: the real preparation of the root, and the kernel and Debian's programs where NixOS has them.
fn toplevel(root: &Path, evaluation: &Evaluation) {
    let path = text(&evaluation.host["toplevel"]);
    let directory = root.join(path.trim_start_matches('/'));
    let prepare = evaluation.named("stage-2-init.sh").replace("@systemConfig@", path);
    // The store's folder has the paths that the script names.
    evaluation.place(root, &prepare);
    let _ = fs::remove_file(&directory);
    write(&directory.join("prepare-root"), &prepare, 0o755);
    write(&directory.join("activate"), ACTIVATE, 0o755);
    // The initrd takes the folder that a link leads to for the system.
    fs::copy(root.join("usr/lib/systemd/systemd"), directory.join("init")).expect("systemd");
    for (name, target) in [("sw", "/usr"), ("systemd", "/usr")] {
        symlink(target, directory.join(name)).expect("a link");
    }
}

/// Writes what make-ext4-fs writes, without the hashes, which nothing here compares.
fn registration(root: &Path, toplevel: &str) {
    let mut all = String::new();
    let names = fs::read_dir(root.join("nix/store")).expect("a store");
    for name in names.filter_map(|entry| entry.ok()?.file_name().into_string().ok()) {
        let path = format!("/nix/store/{name}");
        all.extend([&path, "\n", &"0".repeat(64), "\n4096\n\n0\n"]);
    }
    assert!(all.contains(toplevel), "the system is in its store");
    write(&root.join("nix-path-registration"), &all, 0o644);
    for directory in ["nix/var/nix/gcroots", "nix/var/nix/profiles"] {
        fs::create_dir_all(root.join(directory)).expect("a folder");
    }
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
