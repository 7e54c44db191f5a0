//! The hosts over the real NixOS module tree, if Nix's search path has one.
//!
//! Packages that the tree lacks are derivations that nobody can build: see tests/modules/nix/tree/stand-ins.nix.

use crate::boot::{Boot, Stage};
use crate::evaluator::{ROOT, find_file};
use crate::requirement;
use serde_json::{Value, json};
use std::process::{Command, Output};
use std::sync::OnceLock;

pub(crate) fn evaluate(expression: &str) -> Output {
    Command::new("nix-instantiate")
        .args(["--readonly-mode", "--eval", "--strict", "--json", "--expr", expression])
        .output()
        .unwrap()
}

/// Returns the reason why no host can be evaluated over a real module tree.
pub(crate) fn missing() -> Option<&'static str> {
    static MISSING: OnceLock<Option<&str>> = OnceLock::new();
    *MISSING.get_or_init(|| {
        if Command::new("nix-instantiate").arg("--version").output().is_err() {
            return Some("nix-instantiate is not installed (Debian: nix-bin)");
        }
        if !find_file("nixpkgs/nixos") || !find_file("nixpkgs/lib") {
            return Some(
                "<nixpkgs/nixos> is not on Nix's search path: hosts are evaluated without NixOS's own modules",
            );
        }
        let output = evaluate(&format!("(import {ROOT}/tests/modules/nix/tree/tree.nix).isNewEnough"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        (output.stdout.trim_ascii() != b"true").then_some(
            "the modules of <nixpkgs/nixos> are older than NixOS 26.05: services.k3s has no nodeIP",
        )
    })
}

/// A part of tests/modules/nix/tree/report.nix. It is evaluated once: that takes about ten seconds and 2 GB of memory.
struct Part {
    name: &'static str,
    value: OnceLock<Value>,
}

static HOSTS: Part = Part::new("hosts");
static DUAL_STACK: Part = Part::new("dualStack");
static MIXED: Part = Part::new("mixed");
static VARIANTS: Part = Part::new("variants");
static MACHINES: Part = Part::new("machines");

impl Part {
    const fn new(name: &'static str) -> Self {
        Self { name, value: OnceLock::new() }
    }

    /// Returns the part's value, or reports that `test` is skipped.
    fn get(&self, test: &str) -> Option<&Value> {
        if let Some(because) = missing() {
            requirement::skipped(test, because);
            return None;
        }
        Some(self.value.get_or_init(|| {
            let output =
                evaluate(&format!("(import {ROOT}/tests/modules/nix/tree/report.nix).{}", self.name));
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            serde_json::from_slice(&output.stdout).unwrap()
        }))
    }
}

#[track_caller]
fn is_derivation(value: &Value) {
    let path = value.as_str().unwrap();
    assert!(path.starts_with("/nix/store/") && path.rsplit('.').next() == Some("drv"), "{path}");
}

/// Checks NixOS's assertions and warnings, and what a host may not take from NixOS's defaults.
#[track_caller]
fn check_hosts(hosts: &Value) {
    let hosts = hosts.as_object().unwrap();
    assert_eq!(hosts.len(), 4);
    for (name, host) in hosts {
        for key in ["failedAssertions", "warnings", "loopbackNames", "nixPath"] {
            assert_eq!(host[key], json!([]), "{name}: {key}");
        }
        // NixOS's own, so that the list above is not empty for want of them.
        assert!(host["assertions"].as_u64().unwrap() > 500, "{name}: {}", host["assertions"]);
        // The image contains no source tree of nixpkgs.
        assert_eq!(host["registry"], json!({}), "{name}");
        assert_eq!(host["stateVersion"], "26.05", "{name}");
        is_derivation(&host["toplevel"]);
        is_derivation(&host["image"]);
        let installed = crate::strings(&host["installed"]);
        assert!(installed.contains(&"rk1-guard") && installed.contains(&"openssh"), "{name}: {installed:?}");
        for program in ["bcache-tools", "command-not-found", "lvm2", "nixos-container", "rsync", "strace"] {
            assert!(!installed.contains(&program), "{name}: {program} is installed");
        }
    }
}

#[test]
fn every_host_satisfies_nixos() {
    let Some(hosts) = HOSTS.get("every_host_satisfies_nixos") else { return };
    check_hosts(hosts);
}

#[test]
fn every_dual_stack_host_satisfies_nixos() {
    let Some(hosts) = DUAL_STACK.get("every_dual_stack_host_satisfies_nixos") else { return };
    check_hosts(hosts);
}

/// Hosts of several kinds and with different disks, with their images.
#[test]
fn hosts_with_other_disks_and_modules_evaluate() {
    let Some(hosts) = MIXED.get("hosts_with_other_disks_and_modules_evaluate") else { return };
    for name in ["den-2", "den-3", "den-nas"] {
        assert_eq!(hosts[name]["failedAssertions"], json!([]), "{name}");
        is_derivation(&hosts[name]["toplevel"]);
        is_derivation(&hosts[name]["image"]);
    }
}

/// What users add to a host. Each of these failed or had a wrong effect once.
#[test]
fn additions_of_users_evaluate() {
    let Some(variants) = VARIANTS.get("additions_of_users_evaluate") else { return };
    for name in ["chrony", "ntpdRs", "sysusers", "grafana"] {
        assert_eq!(variants[name]["failedAssertions"], json!([]), "{name}");
        is_derivation(&variants[name]["toplevel"]);
    }
    // k3s waits for the first synchronization only where systemd-timesyncd reports it.
    assert_eq!(variants["chrony"]["waits"], false);
    assert!(crate::strings(&variants["chrony"]["after"]).contains(&"time-sync.target"));
    assert_eq!(variants["setsNixpkgsConfig"], false);
    for number in 1..=4 {
        assert_eq!(variants["cluster"][format!("rk1-0{number}")], "hello");
    }
}

#[test]
fn hosts_are_virtual_machines_too() {
    let Some(machines) = MACHINES.get("hosts_are_virtual_machines_too") else { return };
    is_derivation(&machines["aarch64"]);
    is_derivation(&machines["x86_64"]);
    let alone = &machines["streamerAlone"];
    assert_eq!(alone["failedAssertions"], json!([]));
    is_derivation(&alone["toplevel"]);
    assert_eq!(alone["units"], json!(["streamer-token", "xdp-streamer-eth0"]));
}

/// systemd orders every unit of the boot, in the initrd and in the system, without a cycle.
#[test]
fn systemd_finds_no_cycle_in_any_boot() {
    let test = "systemd_finds_no_cycle_in_any_boot";
    if !Boot::is_possible(test) {
        return;
    }
    let (Some(hosts), Some(dual_stack)) = (HOSTS.get(test), DUAL_STACK.get(test)) else { return };
    for (cluster, hosts) in [("example", hosts), ("dual-stack", dual_stack)] {
        for (name, host) in hosts.as_object().unwrap() {
            for stage in [Stage::Initrd, Stage::System] {
                let boot = Boot::new(&host["boot"], stage);
                assert_eq!(boot.complaints(), "", "{cluster}, {name}, {stage:?}");
                // A cycle would be found.
                let (early, late) = match stage {
                    Stage::Initrd => ("sysroot.mount", "grow-root.service"),
                    Stage::System => ("local-fs.target", "k3s.service"),
                };
                boot.add(early, &format!("[Unit]\nAfter={late}\n"));
                assert!(boot.complaints().contains("ordering cycle"), "{cluster}, {name}, {stage:?}");
            }
        }
    }
}

/// The order of a boot, as systemd's own search for cycles confirms it.
#[test]
fn a_boot_has_the_designed_order() {
    let test = "a_boot_has_the_designed_order";
    if !Boot::is_possible(test) {
        return;
    }
    let Some(hosts) = HOSTS.get(test) else { return };
    let initrd = Boot::new(&hosts["rk1-01"]["boot"], Stage::Initrd);
    for pair in ["sysroot.mount", "grow-root.service", "initrd-root-fs.target"].windows(2) {
        initrd.check_order(pair[0], pair[1]);
    }

    let system = Boot::new(&hosts["rk1-01"]["boot"], Stage::System);
    // Secrets, among them the key of the disk; disk, mounts, k3s.
    for pair in [
        "node-secrets.service",
        "rk1-storage.service",
        "mnt-data.mount",
        "rk1-storage-directories.service",
        "var-lib-rancher.mount",
        "local-fs.target",
        "sysinit.target",
        "retire-manifests.service",
        "k3s.service",
    ]
    .windows(2)
    {
        system.check_order(pair[0], pair[1]);
    }
    system.check_order("systemd-udev-trigger.service", "rk1-storage.service");
    for mount in ["run-k3s.mount", "var-lib-kubelet.mount", "var-log-pods.mount", "var-lib-rancher.mount"] {
        system.check_order(mount, "k3s.service");
    }
    system.check_order("clock-synchronized.service", "k3s.service");
    // Whatever writes to the Nix store waits until Nix knows what the store contains.
    system.check_order("local-fs.target", "register-store.service");
    for later in [
        "sysinit.target",
        "nix-daemon.socket",
        "nix-daemon.service",
        "nix-gc.service",
        "sshd.service",
        "k3s.service",
    ] {
        system.check_order("register-store.service", later);
    }
    // The order alone does not hold the garbage collection back after a failed registration.
    let collection = hosts["rk1-01"]["boot"]["system"]["own"]["nix-gc.service"]["text"].as_str().unwrap();
    assert!(collection.contains("\nConditionPathExists=!/nix-path-registration\n"), "{collection}");
}
