//! Each state and the ways out of it.

use std::fs;
use std::process::Command;

use crate::node::{Node, SCRIPT, only};
use crate::requirement::skipped;

const SWITCH_UNITS: &str = "systemctl stop nixos-rebuild-switch-to-configuration*.service\n";
const BACK: &str = "nix-env --profile profile --switch-generation 1\nold switch\n";

#[test]
fn without_a_deadline_nothing_happens() {
    let node = Node::new();
    for command in ["watch", "resume"] {
        assert_eq!(node.succeeds(&[command]), "");
    }
    assert_eq!(node.calls(), "");
    assert_eq!(node.succeeds(&["state"]), "state=idle\nrunning=old\nbooted=old\n");
    assert_eq!(node.fails(&["confirm"]), "rk1-guard: the guard is not armed: there is nothing to confirm\n");
    assert_eq!(node.fails(&["revert"]), "rk1-guard: the guard is not armed: there is nothing to roll back\n");
    for seconds in ["", "0", "-1", "5m", "1000000"] {
        assert_eq!(
            node.fails(&["arm", seconds]),
            format!("rk1-guard: `{seconds}` is not a number of seconds\n")
        );
    }
    assert_eq!(
        node.fails(&[]),
        "rk1-guard: usage: rk1-guard arm SECONDS | reboot | confirm | revert | state | needs-reboot SYSTEM\n"
    );
    assert_eq!(node.systems(), only("old"));
}

#[test]
fn arming_records_the_running_system_and_starts_a_watch() {
    let node = Node::new();
    node.succeeds(&["arm", "999999"]);
    let watch = format!(
        "systemd-run --quiet --collect --service-type=exec --unit=rk1-guard-watch --description=Roll back to the \
         previous system unless the new one is confirmed --property=Restart=on-failure --property=RestartSec=5 \
         --property=StartLimitIntervalSec=0 {SCRIPT} watch\n"
    );
    assert_eq!(node.calls(), format!("systemctl stop rk1-guard-watch.service\n{watch}"));
    for (key, value) in [("state", "armed"), ("system", "old"), ("generation", "1")] {
        assert_eq!(node.state(key), value, "{key}");
    }
    let left: u64 = node.state("left").parse().unwrap();
    assert!((990_000..=999_999).contains(&left), "{left}");
    assert_eq!(node.systems(), ("old".into(), "old".into(), true));

    assert_eq!(
        node.fails(&["arm", "60"]),
        "rk1-guard: the guard is already armed: confirm or revert first\n"
    );
    // At the next boot nothing watches until `resume` runs.
    node.succeeds(&["resume"]);
    assert_eq!(node.calls(), format!("systemctl is-active --quiet rk1-guard-watch.service\n{watch}"));
}

#[test]
fn a_confirmed_system_stays() {
    let node = Node::new();
    node.succeeds(&["arm", "600"]);
    node.switch_to_new();
    node.succeeds(&["confirm"]);
    node.calls();
    node.succeeds(&["watch"]);
    assert_eq!(node.calls(), "");
    assert_eq!(node.systems(), only("new"));
    assert_eq!(
        node.succeeds(&["state"]),
        "state=confirmed\nsystem=old\ngeneration=1\nrunning=new\nbooted=old\n"
    );
    assert_eq!(node.fails(&["confirm"]), "rk1-guard: the guard is not armed: there is nothing to confirm\n");
}

#[test]
fn an_unconfirmed_system_is_rolled_back_once() {
    let node = Node::new();
    node.succeeds(&["arm", "600"]);
    node.switch_to_new();
    node.let_the_deadline_pass();
    node.calls();
    assert_eq!(
        node.succeeds(&["watch"]),
        "rk1-guard: the new system was not confirmed within 1 seconds\n\
         rk1-guard: rolled back to old; its activation ended with status 0\n"
    );
    assert_eq!(node.calls(), format!("{SWITCH_UNITS}{BACK}"));
    assert_eq!(node.systems(), only("old"));
    assert_eq!(node.state("state"), "reverted");

    // Only once: neither by itself, nor by a late confirmation, nor at the next boot. A later switch stays.
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
fn revert_rolls_back_at_once() {
    let node = Node::new();
    node.succeeds(&["arm", "600"]);
    node.switch_to_new();
    node.calls();
    node.succeeds(&["revert"]);
    assert!(node.calls().contains("\nsystemd-run "), "no watch runs that would do it");
    assert_eq!(node.state("state"), "reverting");
    assert_eq!(node.fails(&["confirm"]), "rk1-guard: the guard is not armed: there is nothing to confirm\n");
    node.succeeds(&["watch"]);
    assert_eq!(node.systems(), only("old"));
}

#[test]
fn a_deadline_survives_a_reboot() {
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
fn a_clock_jump_does_not_end_the_wait() {
    let node = Node::new();
    node.succeeds(&["arm", "999999"]);
    node.note("deadline", "1");
    let left: u64 = node.state("left").parse().unwrap();
    assert!(left > 900_000, "{left}");
}

#[test]
fn a_system_without_a_generation_is_restored() {
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

    // After `nixos-rebuild test`, the node runs a system that no generation has.
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
fn a_failed_rollback_is_tried_again() {
    let node = Node::new();
    node.succeeds(&["arm", "600"]);
    node.switch_to_new();
    node.let_the_deadline_pass();
    // EAGAIN: another process holds the lock.
    fs::write(node.path("old/status"), "11").unwrap();
    assert_eq!(
        node.fails(&["watch"]),
        "rk1-guard: the new system was not confirmed within 1 seconds\n\
         rk1-guard: old cannot be activated: status 11\n"
    );
    assert_eq!(node.state("state"), "reverting");
    assert!(node.systems().2, "the old system must be kept for now");

    fs::write(node.path("old/status"), "4").unwrap();
    assert_eq!(
        node.succeeds(&["watch"]),
        "rk1-guard: rolled back to old; its activation ended with status 4\n"
    );
    assert_eq!(node.systems(), only("old"));
}

/// NixOS refuses to switch between systems that differ in, for example, their D-Bus implementation.
#[test]
fn a_switch_inhibitor_does_not_stop_the_rollback() {
    let node = Node::new();
    node.succeeds(&["arm", "600"]);
    node.switch_to_new();
    fs::write(node.path("old/inhibited"), "").unwrap();
    node.let_the_deadline_pass();
    node.succeeds(&["watch"]);
    assert_eq!(node.systems(), only("old"));
}

#[test]
fn a_new_kernel_is_rolled_back_by_a_reboot() {
    let node = Node::new();
    fs::remove_file(node.path("new/kernel")).unwrap();
    std::os::unix::fs::symlink("/nix/store/another-kernel", node.path("new/kernel")).unwrap();
    node.succeeds(&["arm", "600"]);
    node.switch_to_new();

    // `nixos-rebuild boot` and a reboot: nobody confirms.
    node.reboot_into("new");
    node.let_the_deadline_pass();
    node.note("deadline", "1");
    node.calls();
    assert_eq!(
        node.succeeds(&["watch"]),
        "rk1-guard: the new system was not confirmed within 1 seconds\n\
         rk1-guard: rebooting into the kernel of old\n"
    );
    let back = "nix-env --profile profile --switch-generation 1\nold boot\nsystemctl reboot\n";
    assert_eq!(node.calls(), format!("{SWITCH_UNITS}{back}"));
    assert_eq!(node.state("state"), "reverting");
    assert!(node.systems().2, "the old system must be kept for now");

    node.reboot_into("old");
    node.succeeds(&["watch"]);
    assert_eq!(node.calls(), format!("{SWITCH_UNITS}old switch\n"));
    assert_eq!((node.systems(), node.state("state")), (only("old"), "reverted".to_owned()));
}

/// Somebody may choose the new kernel in the boot menu again.
#[test]
fn the_node_reboots_only_once_to_roll_back_a_kernel() {
    let node = Node::new();
    fs::write(node.path("new/kernel-params"), "panic=10 quiet").unwrap();
    node.succeeds(&["arm", "600"]);
    node.switch_to_new();
    node.reboot_into("new");
    node.note("deadline", "1");
    node.succeeds(&["watch"]);
    node.reboot_into("new");
    node.calls();
    node.succeeds(&["watch"]);
    assert_eq!(node.calls(), format!("{SWITCH_UNITS}old switch\n"));
    assert_eq!(node.state("state"), "reverted");
}

/// Armed, with a new system for the next boot, and the reboot under way.
fn rebooting() -> Node {
    let node = Node::new();
    node.succeeds(&["arm", "600"]);
    node.install_new();
    node.calls();
    node.succeeds(&["reboot"]);
    node
}

/// The boot loader's default is the old system until the new one is confirmed.
#[test]
fn a_new_system_is_booted_once_until_it_is_confirmed() {
    let node = rebooting();
    assert_eq!(
        node.calls(),
        "old boot\nkexec --load new/kernel --initrd=new/initrd --command-line=init=new/init panic=10\n\
         systemctl --no-block kexec\n"
    );
    node.reboot_into("new");
    node.succeeds(&["confirm"]);
    assert_eq!(node.calls(), "new boot\n");
    assert_eq!((node.systems(), node.state("state")), (only("new"), "confirmed".to_owned()));
}

/// The watchdog, or the reboot after a panic, brings the boot loader's default back.
#[test]
fn a_kernel_that_never_starts_a_program_is_rolled_back_at_once() {
    let node = rebooting();
    node.reboot_into("old");
    node.calls();
    assert_eq!(node.fails(&["confirm"]), "rk1-guard: new does not run: there is nothing to confirm\n");
    assert_eq!(
        node.succeeds(&["watch"]),
        "rk1-guard: new did not start\nrk1-guard: rolled back to old; its activation ended with status 0\n"
    );
    assert_eq!(node.calls(), format!("{SWITCH_UNITS}{BACK}"));
    assert_eq!((node.systems(), node.state("state")), (only("old"), "reverted".to_owned()));
}

/// It runs programs, but nobody confirms it.
#[test]
fn a_booted_system_that_is_not_confirmed_is_rolled_back() {
    let node = rebooting();
    node.reboot_into("new");
    node.note("deadline", "1");
    node.calls();
    node.succeeds(&["watch"]);
    assert_eq!(node.calls(), format!("{SWITCH_UNITS}{BACK}"));
    assert_eq!(node.systems(), only("old"));
}

#[test]
fn without_kexec_the_boot_loader_starts_the_new_system() {
    let node = Node::new();
    fs::write(node.path("no-kexec"), "").unwrap();
    node.succeeds(&["arm", "600"]);
    node.install_new();
    node.calls();
    node.succeeds(&["reboot"]);
    assert_eq!(node.calls(), "systemctl --no-block reboot\n");
    node.reboot_into("new");
    node.succeeds(&["confirm"]);
    assert_eq!((node.calls(), node.systems()), (String::new(), only("new")));
}

#[test]
fn a_reboot_that_cannot_be_tried_is_refused() {
    let node = Node::new();
    assert_eq!(node.fails(&["reboot"]), "rk1-guard: the guard is not armed: arm it first\n");
    node.succeeds(&["arm", "600"]);
    assert_eq!(
        node.fails(&["reboot"]),
        "rk1-guard: the profile has no new system: run `nixos-rebuild boot` first\n"
    );
    node.install_new();
    fs::write(node.path("kexec-fails"), "").unwrap();
    assert_eq!(
        node.fails(&["reboot"]),
        "rk1-guard: the kernel of new cannot be loaded: set rk1.guard.rebootBy to `reboot` on this node\n"
    );
    assert!(!node.calls().contains("systemctl --no-block"));
    node.succeeds(&["revert"]);
    node.succeeds(&["watch"]);
    assert_eq!(node.systems(), only("old"));
}

#[test]
fn what_takes_effect_after_a_reboot_only_is_named() {
    let node = Node::new();
    let new = node.path("new").display().to_string();
    assert_eq!(node.succeeds(&["needs-reboot", &new]), "");
    // A part that only one system has inhibits nothing, as in NixOS.
    fs::write(node.path("old/switch-inhibitors"), r#"{"dbus-implementation":"dbus","init":"systemd-258"}"#)
        .unwrap();
    assert_eq!(node.succeeds(&["needs-reboot", &new]), "");
    fs::write(
        node.path("new/switch-inhibitors"),
        "{\n  \"dbus-implementation\": \"broker\",\n  \"init\": \"systemd-258\",\n  \"other\": \"x\"\n}\n",
    )
    .unwrap();
    for part in ["kernel", "dtbs"] {
        fs::remove_file(node.path("new").join(part)).unwrap();
        std::os::unix::fs::symlink("/nix/store/another", node.path("new").join(part)).unwrap();
    }
    fs::write(node.path("new/kernel-params"), "panic=10 quiet").unwrap();
    assert_eq!(
        node.succeeds(&["needs-reboot", &new]),
        "kernel\ndtbs\nkernel-params\nrefuses-switch dbus-implementation\n"
    );
    assert_eq!(node.fails(&["needs-reboot", "/etc"]), "rk1-guard: `/etc` is not a system\n");
}

#[test]
fn a_damaged_record_is_rolled_back_and_never_executed() {
    for damage in [
        "",
        "system=relative\n",
        "deadline=limit[$(touch EXECUTED)]\n",
        "limit=08\n",
        "boot=\n",
        "generation=1; touch EXECUTED\n",
        "armed_at=99999999999999999999\n",
    ] {
        let node = Node::new();
        node.succeeds(&["arm", "600"]);
        node.switch_to_new();
        let file = node.path("state/armed");
        let whole = fs::read_to_string(&file).unwrap();
        let damaged = if damage.is_empty() { String::new() } else { whole + damage };
        fs::write(&file, damaged).unwrap();
        node.succeeds(&["watch"]);
        assert_eq!(node.systems(), only("old"), "{damage:?}");
        assert!(!std::path::Path::new("EXECUTED").exists(), "{damage:?}");
    }
}

#[test]
fn shellcheck_reports_nothing() {
    let Ok(output) = Command::new("shellcheck").args(["--shell=bash", SCRIPT]).output() else {
        return skipped("guard: shellcheck", "`shellcheck` is not installed");
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
