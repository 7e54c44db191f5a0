//! Each state, and what leads from it to another.

use std::fs;
use std::process::Command;

use crate::node::{Node, SCRIPT, only};
use crate::requirement::skipped;

const SWITCH_UNITS: &str = "systemctl stop nixos-rebuild-switch-to-configuration*.service\n";
const BACK: &str = "nix-env --profile profile --switch-generation 1\nold switch\n";

#[test]
fn nothing_happens_where_nothing_is_armed() {
    let node = Node::new();
    for command in ["watch", "resume"] {
        assert_eq!(node.succeeds(&[command]), "");
    }
    assert_eq!(node.calls(), "");
    assert_eq!(node.succeeds(&["state"]), "state=idle\nrunning=old\n");
    assert_eq!(node.fails(&["confirm"]), "rk1-guard: it is not armed: there is nothing to confirm\n");
    assert_eq!(node.fails(&["revert"]), "rk1-guard: it is not armed: there is nothing to go back to\n");
    for seconds in ["", "0", "-1", "5m", "1000000"] {
        assert_eq!(
            node.fails(&["arm", seconds]),
            format!("rk1-guard: `{seconds}` is not a number of seconds\n")
        );
    }
    assert_eq!(node.fails(&[]), "rk1-guard: say arm SECONDS, confirm, revert or state\n");
    assert_eq!(node.systems(), only("old"));
}

#[test]
fn armed_it_notes_the_running_system_and_watches_in_a_unit_of_its_own() {
    let node = Node::new();
    node.succeeds(&["arm", "999999"]);
    let watch = format!(
        "systemd-run --quiet --collect --service-type=exec --unit=rk1-guard-watch --description=Go back to the system of \
         before, unless somebody confirms the new one --property=Restart=on-failure --property=RestartSec=5 \
         --property=StartLimitIntervalSec=0 {SCRIPT} watch\n"
    );
    assert_eq!(node.calls(), format!("systemctl stop rk1-guard-watch.service\n{watch}"));
    for (key, value) in [("state", "armed"), ("system", "old"), ("generation", "1")] {
        assert_eq!(node.state(key), value, "{key}");
    }
    let left: u64 = node.state("left").parse().unwrap();
    assert!((990_000..=999_999).contains(&left), "{left}");
    assert_eq!(node.systems(), ("old".into(), "old".into(), true));

    assert_eq!(node.fails(&["arm", "60"]), "rk1-guard: it is armed already: confirm or revert first\n");
    // At the next boot there is no watch until this is asked for.
    node.succeeds(&["resume"]);
    assert_eq!(node.calls(), format!("systemctl is-active --quiet rk1-guard-watch.service\n{watch}"));
}

#[test]
fn confirmed_in_time_the_new_system_stays() {
    let node = Node::new();
    node.succeeds(&["arm", "600"]);
    node.switch_to_new();
    node.succeeds(&["confirm"]);
    node.calls();
    node.succeeds(&["watch"]);
    assert_eq!(node.calls(), "");
    assert_eq!(node.systems(), only("new"));
    assert_eq!(node.succeeds(&["state"]), "state=confirmed\nsystem=old\ngeneration=1\nrunning=new\n");
    assert_eq!(node.fails(&["confirm"]), "rk1-guard: it is not armed: there is nothing to confirm\n");
}

#[test]
fn unconfirmed_it_goes_back_once() {
    let node = Node::new();
    node.succeeds(&["arm", "600"]);
    node.switch_to_new();
    node.let_the_deadline_pass();
    node.calls();
    assert_eq!(
        node.succeeds(&["watch"]),
        "rk1-guard: nobody has confirmed within 1 s\nrk1-guard: this is old again; its activation ended with status 0\n"
    );
    assert_eq!(node.calls(), format!("{SWITCH_UNITS}{BACK}"));
    assert_eq!(node.systems(), only("old"));
    assert_eq!(node.state("state"), "reverted");

    // Not twice: not by itself, not by a late word, not at the next boot; and what is switched to later stays.
    node.switch_to_new();
    for command in ["watch", "resume"] {
        node.succeeds(&[command]);
    }
    for command in ["confirm", "revert"] {
        node.fails(&[command]);
    }
    assert_eq!(node.calls(), "");
    assert_eq!(node.systems(), only("new"));
    node.succeeds(&["arm", "600"]);
    assert_eq!(node.state("system"), "new");
}

#[test]
fn asked_to_it_goes_back_at_once() {
    let node = Node::new();
    node.succeeds(&["arm", "600"]);
    node.switch_to_new();
    node.calls();
    node.succeeds(&["revert"]);
    assert!(node.calls().contains("\nsystemd-run "), "no watch runs that would do it");
    assert_eq!(node.state("state"), "reverting");
    assert_eq!(node.fails(&["confirm"]), "rk1-guard: it is not armed: there is nothing to confirm\n");
    node.succeeds(&["watch"]);
    assert_eq!(node.systems(), only("old"));
}

#[test]
fn a_deadline_outlives_a_reboot() {
    let now = Command::new("date").arg("+%s").output().unwrap().stdout;
    let now: u64 = String::from_utf8(now).unwrap().trim().parse().unwrap();
    for (limit, deadline, what) in [
        ("999999", now - 1, "the clock says that it has passed"),
        ("1", now + 999_999, "the clock lags behind, but the node has been up for longer"),
    ] {
        let node = Node::new();
        node.succeeds(&["arm", "600"]);
        node.switch_to_new();
        node.note("boot", "another");
        node.note("limit", limit);
        node.note("deadline", &deadline.to_string());
        node.succeeds(&["watch"]);
        assert_eq!(node.systems(), only("old"), "{what}");
    }

    let node = Node::new();
    node.succeeds(&["arm", "999999"]);
    node.note("boot", "another");
    node.note("deadline", &(now + 700_000).to_string());
    let left: u64 = node.state("left").parse().unwrap();
    assert!((690_000..=700_000).contains(&left), "{left}");
}

#[test]
fn a_jump_of_the_clock_is_no_deadline() {
    let node = Node::new();
    node.succeeds(&["arm", "999999"]);
    node.note("deadline", "1");
    let left: u64 = node.state("left").parse().unwrap();
    assert!(left > 900_000, "{left}");
}

#[test]
fn it_goes_back_to_a_system_whose_generation_is_gone_or_never_was() {
    let node = Node::new();
    node.succeeds(&["arm", "600"]);
    node.switch_to_new();
    fs::remove_file(node.path("profile-1-link")).unwrap();
    node.let_the_deadline_pass();
    node.calls();
    node.succeeds(&["watch"]);
    let set = "nix-env --profile profile --set old\n";
    assert_eq!(
        node.calls(),
        format!("{SWITCH_UNITS}nix-env --profile profile --switch-generation 1\n{set}old switch\n")
    );
    assert_eq!(node.systems(), only("old"));

    // `nixos-rebuild test` had been tried: the node runs what no generation has.
    let node = Node::new();
    node.switch_to_new();
    fs::remove_file(node.path("current-system")).unwrap();
    std::os::unix::fs::symlink(node.path("old"), node.path("current-system")).unwrap();
    node.succeeds(&["arm", "600"]);
    assert_eq!(node.state("generation"), "");
    node.let_the_deadline_pass();
    node.calls();
    node.succeeds(&["watch"]);
    assert_eq!(node.calls(), format!("{SWITCH_UNITS}{set}old switch\n"));
}

#[test]
fn a_way_back_that_fails_is_tried_again() {
    let node = Node::new();
    node.succeeds(&["arm", "600"]);
    node.switch_to_new();
    node.let_the_deadline_pass();
    // EAGAIN: somebody else holds the lock.
    fs::write(node.path("old/status"), "11").unwrap();
    assert_eq!(
        node.fails(&["watch"]),
        "rk1-guard: nobody has confirmed within 1 s\nrk1-guard: old cannot be activated: status 11\n"
    );
    assert_eq!(node.state("state"), "reverting");
    assert!(node.systems().2, "the old system may not be collected yet");

    fs::write(node.path("old/status"), "4").unwrap();
    assert_eq!(
        node.succeeds(&["watch"]),
        "rk1-guard: this is old again; its activation ended with status 4\n"
    );
    assert_eq!(node.systems(), only("old"));
}

#[test]
fn shellcheck_finds_nothing() {
    let Ok(output) = Command::new("shellcheck").args(["--shell=bash", SCRIPT]).output() else {
        return skipped("guard: shellcheck", "`shellcheck` is not installed");
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
