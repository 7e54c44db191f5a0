//! The streamer's units as NixOS would write them: what they say, and what systemd's own judges say of them.

use crate::evaluator::{Nix, ROOT};
use crate::{requirement, snapshot};
use serde_json::Value;
use snapbox::assert_data_eq;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Text of each unit by `host/unit`, without the hashes of store paths.
fn units(nix: &Nix) -> BTreeMap<String, String> {
    let hosts = nix.value("report.units");
    let hosts = hosts.as_object().unwrap();
    let of_host = |(host, units): (&String, &Value)| {
        let units = units.as_object().unwrap().clone().into_iter();
        let host = host.clone();
        units.map(move |(name, text)| (format!("{host}/{name}"), without_hashes(text.as_str().unwrap())))
    };
    hosts.iter().flat_map(of_host).collect()
}

fn without_hashes(text: &str) -> String {
    let mut parts = text.split("/nix/store/");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| text + "/nix/store/" + part.split_once('-').unwrap().1)
}

fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

fn is_streamer(name: &str) -> bool {
    name.contains("/xdp-streamer")
}

#[test]
fn the_streamer_has_few_capabilities_and_no_secret_on_its_command_line() {
    let Some(nix) = Nix::new("the_streamer_has_few_capabilities_and_no_secret_on_its_command_line") else {
        return;
    };
    let units = units(&nix);
    let told: String = units.iter().flat_map(|(name, unit)| ["# ", name, "\n", unit, "\n"]).collect();
    assert_data_eq!(told, snapshot("units.txt").raw());

    let streamers: Vec<_> = units.iter().filter(|(name, _)| is_streamer(name)).collect();
    assert_eq!(streamers.len(), 5, "{:?}", units.keys());
    for (name, unit) in streamers {
        // What needs more than the others is only on the host that asks for it.
        let is_rk1_04 = name.starts_with("rk1-04/");
        let capabilities = ["CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON", "CAP_NET_RAW"];
        for key in ["AmbientCapabilities", "CapabilityBoundingSet"] {
            assert_eq!(values(unit, key), capabilities[..3 + usize::from(is_rk1_04)], "{name}: {key}");
        }
        for (key, value) in
            [("RestrictAddressFamilies", "AF_PACKET"), ("SystemCallFilter", "perf_event_open")]
        {
            assert_eq!(values(unit, key).contains(&value), is_rk1_04, "{name}: {value}");
        }
        let credentials = values(unit, "LoadCredential");
        assert_eq!(credentials[0], "token:/var/lib/rk1/secrets/grafana-token", "{name}");
        let [command] = values(unit, "ExecStart")[..] else { panic!("{name}: {unit}") };
        assert!(!command.contains("token") && !command.contains("/var/lib/rk1/secrets"), "{name}: {command}");
        for key in ["PrivateUsers", "PrivateNetwork", "RequiredBy", "Requires"] {
            assert!(values(unit, key).is_empty(), "{name}: {key}");
        }
    }
}

#[test]
fn the_dashboard_offers_the_clusters_streams() {
    let Some(nix) = Nix::new("the_dashboard_offers_the_clusters_streams") else { return };
    let provisioned = nix.value(&format!(
        "builtins.fromJSON (harness.outputs.lib.mkCluster {ROOT}/tests/modules/nix/streamer-hosts.nix)
         .rk1-03.config.environment.etc.\"rk1/dashboards/packets.json\".text"
    ));
    let shipped = std::fs::read_to_string(Path::new(ROOT).join("dashboards/packets.json")).unwrap();
    assert_eq!(provisioned, serde_json::from_str::<Value>(&shipped).unwrap());
}

/// Unit files with programs that are there, and the directory that they lie in.
struct Files {
    directory: tempfile::TempDir,
    names: Vec<String>,
}

impl Files {
    fn new(units: &BTreeMap<String, String>, version: u32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let bin = directory.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        for program in ["bash", "install", "rk1-guard", "script", "systemctl", "xdp-streamer"] {
            std::fs::write(bin.join(program), "#!/bin/sh\n").unwrap();
            std::fs::set_permissions(bin.join(program), PermissionsExt::from_mode(0o755)).unwrap();
        }
        let mut names = Vec::new();
        for (name, unit) in units {
            let (host, file) = name.split_once('/').unwrap();
            // Half a unit: the other half is NixOS's.
            if file == "grafana.service" {
                continue;
            }
            let unit: String = unit
                .lines()
                .filter(|line| version >= 254 || !NEEDS_254.iter().any(|key| line.starts_with(key)))
                .flat_map(|line| [at(line, &bin), "\n".to_owned()])
                .collect();
            std::fs::create_dir_all(directory.path().join(host)).unwrap();
            std::fs::write(directory.path().join(name), unit).unwrap();
            names.push(name.clone());
        }
        Self { directory, names }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// systemd.service(5): "Added in version 254".
pub(crate) const NEEDS_254: [&str; 2] = ["RestartSteps=", "RestartMaxDelaySec="];

fn at(line: &str, bin: &Path) -> String {
    let Some((key, command)) = line.split_once('=').filter(|(key, _)| key.starts_with("Exec")) else {
        return line.to_owned();
    };
    let (program, arguments) = command.split_once(' ').unwrap_or((command, ""));
    let prefix = if program.starts_with('+') { "+" } else { "" };
    let program = program.rsplit('/').next().unwrap();
    format!("{key}={prefix}{}/{program} {arguments}", bin.display())
}

fn analyze(arguments: &[&str], file: &Path) -> Output {
    Command::new("systemd-analyze").args(arguments).arg(file).output().unwrap()
}

pub(crate) fn version() -> Option<u32> {
    let output = Command::new("systemd-analyze").arg("--version").output().ok()?;
    String::from_utf8(output.stdout).ok()?.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn systemd_finds_no_fault_and_little_exposure() {
    let test = "systemd_finds_no_fault_and_little_exposure";
    let Some(nix) = Nix::new(test) else { return };
    let Some(version) = version() else {
        requirement::skipped(test, "systemd-analyze is not installed (Debian: systemd)");
        return;
    };
    let units = units(&nix);
    let files = Files::new(&units, version);
    assert_eq!(files.names.len(), units.len() - 1);
    for name in &files.names {
        let output = analyze(&["verify", "--man=no"], &files.path(name));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && told.is_empty(), "{name}: {told}");
    }
    for name in files.names.iter().filter(|name| is_streamer(name)) {
        // Packet sockets and perf events count.
        let most = if name.starts_with("rk1-04/") { 2.1 } else { 2.0 };
        let (level, told) = exposure(&files.path(name));
        assert!(level <= most, "{name}: {told}");
    }
}

/// Returns the exposure level that systemd-analyze(1) gives to a unit, from 0 to 10, with its reasons.
fn exposure(file: &Path) -> (f64, String) {
    let output = analyze(&["security", "--offline=true", "--no-pager"], file);
    let told = String::from_utf8(output.stdout).unwrap();
    let (_, level) = told.split_once("Overall exposure level for ").unwrap();
    (level.split_whitespace().nth(1).unwrap().parse().unwrap(), told)
}

/// Each service of ours and its exposure level at most. The last two switch systems and load the store: they are root's own
/// work.
const EXPOSURES: [(&str, f64); 15] = [
    ("clock-synchronized", 0.6),
    ("grafana-push-token", 1.9),
    ("grafana-secrets", 1.1),
    ("k3s-server-ca", 1.3),
    ("kubernetes-secret-azure-dns-secret", 1.9),
    ("node-secrets", 2.0),
    ("remove-retired-manifests", 1.9),
    ("retire-manifests", 1.1),
    ("rk1-storage", 2.0),
    ("rk1-storage-directories", 1.3),
    ("rk1-storage-late", 1.1),
    ("streamer-token", 1.1),
    ("xdp-streamer", 1.7),
    ("register-store", 9.6),
    ("rk1-guard", 9.6),
];

#[test]
fn no_service_is_exposed_more_than_its_work_needs() {
    let test = "no_service_is_exposed_more_than_its_work_needs";
    let Some(nix) = Nix::new(test) else { return };
    let Some(version) = version() else {
        requirement::skipped(test, "systemd-analyze is not installed (Debian: systemd)");
        return;
    };
    let services = nix.value("report.services");
    let units = services.as_object().unwrap().iter();
    let units: BTreeMap<_, _> = units
        .map(|(name, unit)| (format!("host/{name}.service"), without_hashes(unit["text"].as_str().unwrap())))
        .collect();
    let told: String = units.iter().flat_map(|(name, unit)| ["# ", name, "\n", unit, "\n"]).collect();
    assert_data_eq!(told, snapshot("services.txt").raw());
    let files = Files::new(&units, version);
    let (mut found, mut excess) = (BTreeMap::new(), String::new());
    for name in services.as_object().unwrap().keys() {
        let (level, told) = exposure(&files.path(&format!("host/{name}.service")));
        let most = EXPOSURES.iter().find(|(known, _)| known == name).map(|(_, most)| *most);
        if most.is_none_or(|most| level > most) {
            write!(excess, "{name}: {told}").unwrap();
        }
        found.insert(name.as_str(), level);
    }
    assert!(excess.is_empty(), "{found:?}\n{excess}");
    assert_eq!(found.len(), EXPOSURES.len(), "{found:?}");
}
