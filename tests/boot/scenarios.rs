//! What is played with a host, and what it has to report.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::host::{Host, blank_disk};
use crate::report::Report;
use crate::server;

/// A boot takes two to five minutes on two cores. A machine that is busy otherwise takes longer.
const LIMIT: Duration = Duration::from_mins(15);

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Whether it is played with all other tests.
    pub(crate) is_always_played: bool,
    pub(crate) play: fn(&Host) -> Result<(), String>,
}

pub(crate) const ALL: [Scenario; 3] = [
    Scenario { name: "first_and_second_boot", is_always_played: false, play: first_and_second_boot },
    Scenario { name: "no_data_disk", is_always_played: false, play: no_data_disk },
    Scenario { name: "seed_of_another_node", is_always_played: false, play: seed_of_another_node },
];

const AUTHORITY: &[u8] = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----
-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";

/// Returns the seed of a node, as `rk1 flash` writes it.
fn seed(owner: &'static [u8]) -> Vec<(&'static str, &'static [u8])> {
    vec![
        ("HOST", owner),
        ("secret.k3s-token", b"K10abc::server:token\n"),
        ("secret.k3s-agent-token", b"K10abc::node:token\n"),
        ("secret.k3s-server-ca", AUTHORITY),
        ("secret.grafana-token", b"glsa_token\n"),
        ("secret.azure-dns", b"password\n"),
        ("secret.rk1-01-disk", &[7; 32]),
    ]
}

/// Units that cannot work with Debian's programs: none of them is ours, and none of ours needs them.
const STAND_INS: [&str; 1] = ["suid-sgid-wrappers.service"];

/// The image boots for the first time on a board with a blank data disk; then it boots again.
fn first_and_second_boot(host: &Host) -> Result<(), String> {
    let place = tempfile::tempdir().expect("a folder");
    let emmc = host.emmc(place.path(), &seed(b"turing-pi/rk1-01"));
    let (port, received) = server::start();
    let mut hardware = host.hardware(&emmc, port);
    hardware.nvme = Some(blank_disk(place.path()));

    let first = boot(&hardware, &place, "first")?;
    first.failed_units(&STAND_INS)?;
    let succeed = [
        "node-secrets",
        "rk1-storage",
        "rk1-storage-directories",
        "k3s-server-ca",
        "register-store",
        "retire-manifests",
        "clock-synchronized",
        "kubernetes-secret-azure-dns-secret",
    ];
    for unit in succeed {
        first.succeeded(unit)?;
    }
    first.in_order(&[
        "node-secrets",
        "rk1-storage",
        "rk1-storage-directories",
        "retire-manifests",
        "k3s",
        "kubernetes-secret-azure-dns-secret",
    ])?;
    first.in_order(&["register-store", "sshd"])?;
    first.in_order(&["clock-synchronized", "k3s"])?;
    first.in_order(&["k3s-server-ca", "k3s"])?;
    first.has(&[
        "root /dev/mmcblk0p2 ext4",
        "data /dev/mapper/run-rk1-storage ext4 private",
        "seed 0 files",
        "profile /nix/var/nix/profiles/system",
        "file 600 root /var/lib/rk1/secrets/k3s-token",
        "file 600 root /var/lib/rk1/secrets/k3s-agent-token",
        "file 600 root /var/lib/rk1/secrets/rk1-01-disk",
        "k3s argument server",
        "k3s argument --node-ip=172.16.10.221",
        "k3s argument --cluster-init",
        "k3s mount /var/lib/rancher shared",
        "k3s mount /var/lib/kubelet shared",
        "k3s mount /run/k3s shared",
        "k3s mount /var/log/pods shared",
        "k3s file 600 root /var/lib/rancher/k3s/server/tls/server-ca.crt",
        "k3s file 777 root /var/lib/rancher/k3s/server/manifests/10-cilium.yaml",
        "log blank",
        "log ready",
    ])?;
    // Nearly the whole eMMC of 4 GiB.
    let size = first.number("root-mebibytes")?;
    if size < 3600 {
        return Err(first.with(&format!("the root filesystem has {size} MiB")));
    }
    let lines = received.lines();
    let has_row = |name: &str| lines.iter().any(|line| line.starts_with(name));
    if !has_row("packet_rate") || !lines.iter().any(|line| line == "authorization: Bearer glsa_token") {
        let last: Vec<_> = lines.iter().rev().take(20).collect();
        return Err(first.with(&format!("the streamer has not pushed with its token: {last:?}")));
    }

    let second = boot(&hardware, &place, "second")?;
    second.failed_units(&STAND_INS)?;
    for unit in ["node-secrets", "rk1-storage", "rk1-storage-directories", "clock-synchronized"] {
        second.succeeded(unit)?;
    }
    second.has(&[
        "data /dev/mapper/run-rk1-storage ext4 private",
        "k3s file 600 root /var/lib/rancher/k3s/server/tls/server-ca.crt",
        "file 600 root /var/lib/rk1/secrets/k3s-token",
        "log ready",
    ])?;
    second.lacks(&["log blank", "log creating"])
}

/// Without its data disk a node has its network and its secrets, and no k3s.
fn no_data_disk(host: &Host) -> Result<(), String> {
    let place = tempfile::tempdir().expect("a folder");
    let emmc = host.emmc(place.path(), &seed(b"turing-pi/rk1-01"));
    let (port, _) = server::start();
    let report = boot(&host.hardware(&emmc, port), &place, "no data disk")?;
    report.failed_units(&[&STAND_INS[..], &["rk1-storage.service"]].concat())?;
    for unit in ["node-secrets", "register-store"] {
        report.succeeded(unit)?;
    }
    report.has(&[
        "state sshd active",
        "state k3s inactive",
        "file 600 root /var/lib/rk1/secrets/k3s-token",
    ])?;
    report.lacks(&["k3s argument server", "data /"])
}

/// A seed that is for another node leaves it on the partition, and k3s stopped.
fn seed_of_another_node(host: &Host) -> Result<(), String> {
    let place = tempfile::tempdir().expect("a folder");
    let emmc = host.emmc(place.path(), &seed(b"turing-pi/rk1-02"));
    let (port, received) = server::start();
    let mut hardware = host.hardware(&emmc, port);
    hardware.nvme = Some(blank_disk(place.path()));
    let report = boot(&hardware, &place, "seed of another node")?;
    report.has(&["state sshd active", "state k3s inactive", "state node-secrets failed", "seed 7 files"])?;
    report.lacks(&["k3s argument server", "file 600 root /var/lib/rk1/secrets/k3s-token", "log blank"])?;
    let lines = received.lines();
    if lines.is_empty() { Ok(()) } else { Err(report.with(&format!("something was pushed: {lines:?}"))) }
}

/// Boots a machine until it has reported. Its console is kept if it has not.
fn boot(hardware: &crate::machine::Hardware, place: &TempDir, name: &str) -> Result<Report, String> {
    let folder = place.path().join(name.replace(' ', "-"));
    let mut machine = hardware.start(&folder);
    let told = machine.wait(LIMIT);
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("boot-{}", name.replace(' ', "-")));
    let _ = fs::copy(folder.join("console"), &kept);
    let told = told.map_err(|why| format!("{name}: {why}\nthe whole console: {}", kept.display()))?;
    eprintln!("{name}: {} s", machine.age().as_secs());
    Ok(Report::new(name, &kept, told))
}
