//! What becomes of a node once it is switched.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output};
use std::thread;
use std::time::Duration;

use crate::cluster::TestCluster;

#[test]
fn every_node_is_deployed() {
    let cluster = TestCluster::well();
    cluster.deploy("all-deployed", &[]);
    assert_eq!(cluster.switched(), (vec!["rk1-01", "rk1-02", "rk1-03", "rk1-04"], vec![]));
    // What nobody asked for was not done.
    assert_eq!(cluster.kubernetes.told(), Vec::<String>::new());
}

#[test]
fn results_are_printed_as_json() {
    let cluster = TestCluster::well();
    cluster.deploy("as-json", &["rk1-04", "--json"]);
    assert_eq!(cluster.switched(), (vec!["rk1-04"], vec![]));
}

#[test]
fn further_arguments_go_to_nixos_rebuild() {
    let cluster = TestCluster::well();
    let arguments = ["rk1-04", "--flake", "github:example/cluster", "--", "--build-host", "root@builder"];
    assert!(cluster.command(&arguments).output().unwrap().status.success());
    let line = |action: &str| {
        format!(
            "nixos-rebuild {action} --flake github:example/cluster#rk1-04 --target-host root@172.16.10.224 --build-host \
             root@builder\n"
        )
    };
    assert_eq!(cluster.rebuilds(), line("dry-activate") + &line("switch"));
}

#[test]
fn a_system_that_runs_already_is_left_alone() {
    let cluster = TestCluster::well();
    cluster.mark("rk1-04", "unchanged");
    cluster.deploy("unchanged", &["rk1-04"]);
    assert_eq!(cluster.switched(), (vec![], vec![]));
}

/// Gives a node's new system another kernel.
fn new_kernel(cluster: &TestCluster, node: &str) {
    let kernel = cluster.path(node, "new/kernel");
    std::fs::remove_file(&kernel).unwrap();
    std::os::unix::fs::symlink("/nix/store/another-kernel", kernel).unwrap();
}

#[test]
fn a_reboot_into_the_new_system() {
    let cluster = TestCluster::well();
    new_kernel(&cluster, "rk1-04");
    cluster.deploy("reboot", &["rk1-04", "--reboot", "--delete-emptydir-data"]);
    assert_eq!(cluster.switched(), (vec!["rk1-04"], vec![]));
}

#[test]
fn a_kernel_that_does_not_start_is_rolled_back() {
    let cluster = TestCluster::well();
    new_kernel(&cluster, "rk1-04");
    cluster.mark("rk1-04", "kernel-hangs");
    cluster.deploy("kernel-hangs", &["rk1-04", "--reboot", "--delete-emptydir-data"]);
    assert_eq!(cluster.switched(), (vec![], vec![]));
}

/// Nobody can be asked here.
#[test]
fn a_new_kernel_waits_for_the_next_boot() {
    let cluster = TestCluster::well();
    new_kernel(&cluster, "rk1-04");
    cluster.deploy("kernel-waits", &["rk1-04"]);
    assert_eq!(cluster.switched(), (vec!["rk1-04"], vec![]));
}

#[test]
fn what_nixos_refuses_to_switch_is_left_untouched() {
    let cluster = TestCluster::well();
    for (system, bus) in [("old", "dbus"), ("new", "broker")] {
        let inhibitors = format!("{{\"dbus-implementation\":\"{bus}\"}}");
        std::fs::write(cluster.path("rk1-04", system).join("switch-inhibitors"), inhibitors).unwrap();
    }
    cluster.deploy("needs-reboot", &["rk1-04"]);
    assert_eq!(cluster.switched(), (vec![], vec![]));
}

#[test]
fn a_node_that_fails_to_come_back_rolls_itself_back() {
    let cluster = TestCluster::well();
    cluster.when_activated("rk1-03", "new", "touch silent");
    cluster.when_activated("rk1-03", "old", "rm -f silent");
    cluster.deploy("does-not-come-back", &["rk1-03", "rk1-01", "--limit", "20"]);
    assert_eq!(cluster.switched(), (vec![], vec![]));
}

#[test]
fn a_node_that_stays_away_is_lost() {
    let cluster = TestCluster::well();
    cluster.when_activated("rk1-04", "new", "touch silent");
    cluster.deploy("stays-away", &["rk1-04", "--limit", "8"]);
}

#[test]
fn a_session_that_does_not_come_back_rolls_the_node_back() {
    let cluster = TestCluster::well();
    cluster.when_activated("rk1-04", "new", "touch bgp-down");
    cluster.when_activated("rk1-04", "old", "rm -f bgp-down");
    // The deploy stops after nine tenths, so that it rolls back before the guard does: two seconds are enough on a busy machine.
    cluster.deploy("session-does-not-come-back", &["rk1-04", "--limit", "20"]);
    assert_eq!(cluster.switched(), (vec![], vec![]));
}

#[test]
fn a_switch_that_fails_rolls_the_node_back() {
    let cluster = TestCluster::well();
    cluster.when_activated(
        "rk1-02",
        "new",
        "echo 'warning: the following units failed: k3s.service' >&2; exit 4",
    );
    cluster.deploy("switch-fails", &[]);
    assert_eq!(cluster.switched(), (vec!["rk1-04"], vec![]));
}

/// Deploys to where the switch of rk1-04 hangs. Returns the process, and that of `nixos-rebuild`.
fn hanging(cluster: &TestCluster) -> (Child, String) {
    cluster.mark("rk1-04", "hangs");
    let mut child = cluster.command(&[]).spawn().unwrap();
    let mark = cluster.path("rk1-04", "hangs-as");
    while !mark.exists() && child.try_wait().unwrap().is_none() {
        thread::sleep(Duration::from_millis(20));
    }
    let rebuild = std::fs::read_to_string(mark).unwrap();
    (child, rebuild.trim().to_owned())
}

fn signal(name: &str, process: &str) {
    assert!(Command::new("kill").args([name, process]).status().unwrap().success());
}

#[test]
fn an_interrupt_rolls_the_node_back() {
    let cluster = TestCluster::well();
    let (child, _) = hanging(&cluster);
    signal("-INT", &child.id().to_string());
    cluster.compare("interrupted", &child.wait_with_output().unwrap());
    assert_eq!(cluster.switched(), (vec![], vec![]));
}

#[test]
fn a_second_interrupt_leaves_the_rest_to_the_guard() {
    let cluster = TestCluster::well();
    let (mut child, rebuild) = hanging(&cluster);
    signal("-INT", &child.id().to_string());
    let mut words = BufReader::new(child.stderr.take().unwrap());
    let mut told = String::new();
    while !told.contains("cancelling") {
        assert_ne!(words.read_line(&mut told).unwrap(), 0, "{told}");
    }
    signal("-INT", &child.id().to_string());
    let status = child.wait().unwrap();
    signal("-KILL", &rebuild);
    words.read_to_string(&mut told).unwrap();
    let stdout = Vec::new();
    cluster.compare("interrupted-twice", &Output { status, stdout, stderr: told.into_bytes() });
    // It runs the new system, and its guard waits.
    assert_eq!(cluster.switched(), (vec!["rk1-04"], vec!["rk1-04"]));
}
