//! What keeps a node from being touched at all.

use crate::cluster::TestCluster;

fn nothing_is_touched(cluster: &TestCluster) {
    assert_eq!(cluster.switched().0, Vec::<&str>::new());
    assert_eq!(cluster.kubernetes.told(), Vec::<String>::new());
}

#[test]
fn a_dry_run_changes_nothing() {
    let cluster = TestCluster::well();
    cluster.deploy("dry-run", &["--dry-run", "--drain"]);
    assert_eq!(cluster.rebuilds(), "");
    nothing_is_touched(&cluster);
}

#[test]
fn a_node_that_fails_its_checks_is_left_alone() {
    let cluster = TestCluster::well();
    cluster.module("rk1-04", |module| module.active.retain(|unit| *unit != "k3s.service"));
    cluster.deploy("checks-fail", &[]);
    assert_eq!(cluster.rebuilds(), "");
    nothing_is_touched(&cluster);

    cluster.deploy("checks-fail-anyway", &["rk1-04", "--anyway"]);
    assert_eq!(cluster.switched(), (vec!["rk1-04"], vec![]));
}

#[test]
fn a_build_that_fails_touches_nothing() {
    let cluster = TestCluster::well();
    cluster.mark("rk1-04", "build-fails");
    cluster.deploy("build-fails", &[]);
    nothing_is_touched(&cluster);
}

#[test]
fn a_server_stays_while_etcd_needs_it() {
    let cluster = TestCluster::well();
    cluster.mark("rk1-01", "etcd");
    cluster.deploy("quorum", &["rk1-02"]);
    assert_eq!(cluster.rebuilds(), "");
    nothing_is_touched(&cluster);
}

#[test]
fn a_second_deploy_waits_for_the_first() {
    let cluster = TestCluster::well();
    cluster.node("rk1-04").succeeds(&["arm", "600"]);
    // The seconds that are left depend on the machine: the screen has all 600.
    let output = cluster.command(&["rk1-04"]).output().unwrap();
    let words = String::from_utf8(output.stderr.clone()).unwrap();
    let left = words.split("back in ").nth(1).unwrap().split(" s").next().unwrap().to_owned();
    assert!((1..=600).contains(&left.parse::<u32>().unwrap()), "{left}");
    let output = std::process::Output { stderr: words.replace(&left, "600").into_bytes(), ..output };
    cluster.compare("armed-already", &output);
    nothing_is_touched(&cluster);
}

#[test]
fn a_node_without_a_guard_is_left_alone() {
    let cluster = TestCluster::well();
    cluster.mark("rk1-04", "no-guard");
    cluster.deploy("no-guard", &["rk1-04"]);
    assert_eq!(cluster.rebuilds(), "");
    nothing_is_touched(&cluster);
}

#[test]
fn an_unknown_node_is_named() {
    TestCluster::well().deploy("unknown-node", &["rk1-40"]);
}

#[test]
fn a_step_that_skips_a_release_is_refused_before_the_build() {
    for (screen, running) in [
        ("skips-k3s", ("v1.34.1+k3s1", "quay.io/cilium/cilium:v1.20.0")),
        ("older-k3s", ("v1.37.0+k3s1", "quay.io/cilium/cilium:v1.20.0")),
        ("skips-cilium", ("v1.36.4+k3s1", "quay.io/cilium/cilium:v1.16.1@sha256:00ff")),
    ] {
        let cluster = TestCluster::well();
        cluster.kubernetes.with(|state| state.running = running);
        cluster.deploy(screen, &[]);
        assert_eq!(cluster.rebuilds(), "");
        nothing_is_touched(&cluster);
    }
}
