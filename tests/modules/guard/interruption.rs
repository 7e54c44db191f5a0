//! A run that is interrupted at any step is completed by the next one.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Output;

use tempfile::TempDir;

use crate::node::{Node, only, program};

/// Every program that the guard runs.
const STEPS: [&str; 12] = [
    "cat",
    "date",
    "install",
    "kexec",
    "ln",
    "mv",
    "nix-env",
    "realpath",
    "rm",
    "sync",
    "systemctl",
    "systemd-run",
];

/// Runs the guard and kills its process group at the step `at`, counted from 1. Returns the number of steps as well.
fn cut(node: &Node, arguments: &[&str], at: usize) -> (Output, usize) {
    let directory = TempDir::new().unwrap();
    let count = directory.path().join("count");
    fs::write(&count, "").unwrap();
    let bin = node.path("bin");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    for step in STEPS {
        let text = format!(
            "#!/bin/bash\nprintf x >>'{count}'\n(($(wc --bytes <'{count}') == {at})) && kill -9 0\n\
             PATH='{path}'\nexec {step} \"$@\"\n",
            count = count.display()
        );
        program(&directory.path().join(step), &text);
    }
    let output = node.run_with(arguments, Some(directory.path()));
    let steps = fs::read_to_string(&count).unwrap().len();
    (output, steps)
}

/// A node whose deadline has passed.
fn overdue() -> Node {
    let node = Node::new();
    node.succeeds(&["arm", "600"]);
    node.switch_to_new();
    node.let_the_deadline_pass();
    node.calls();
    node
}

#[test]
fn a_rollback_can_be_interrupted_at_each_step() {
    let (whole, steps) = cut(&overdue(), &["watch"], usize::MAX);
    assert!(whole.status.success(), "{whole:?}");
    assert!(steps >= 9, "only {steps} steps were seen");

    for at in 1..=steps {
        let node = overdue();
        let (output, _) = cut(&node, &["watch"], at);
        assert_eq!(output.status.signal(), Some(9), "step {at} of {steps}: {output:?}");
        node.calls();
        // The next boot does this, and so does systemd when it restarts the watch.
        node.succeeds(&["resume"]);
        let is_over = node.state("state") == "reverted";
        assert_eq!(node.calls().contains("systemd-run"), !is_over, "step {at}: no watch where one is needed");
        node.succeeds(&["watch"]);
        let (running, profile, _) = node.systems();
        assert_eq!((running.as_str(), profile.as_str()), ("old", "old"), "step {at} of {steps}");
        assert_eq!(node.state("state"), "reverted", "step {at} of {steps}");

        // Later runs change nothing.
        node.switch_to_new();
        node.calls();
        node.succeeds(&["resume"]);
        node.succeeds(&["watch"]);
        assert_eq!(node.calls(), "", "step {at} of {steps}");
    }
}

#[test]
fn arming_can_be_interrupted_at_each_step() {
    let (whole, steps) = cut(&Node::new(), &["arm", "600"], usize::MAX);
    assert!(whole.status.success(), "{whole:?}");
    for at in 1..=steps {
        let node = Node::new();
        let (output, _) = cut(&node, &["arm", "600"], at);
        assert_eq!(output.status.signal(), Some(9), "step {at} of {steps}: {output:?}");
        match node.state("state").as_str() {
            // Nothing is recorded, and the guard can be armed again.
            "idle" => {
                node.succeeds(&["watch"]);
                node.succeeds(&["arm", "600"]);
            }
            // The record is complete: the node can be rolled back.
            "armed" => {
                node.switch_to_new();
                node.succeeds(&["revert"]);
                node.succeeds(&["watch"]);
                assert_eq!(node.systems(), only("old"), "step {at} of {steps}");
            }
            state => unreachable!("step {at}: {state}"),
        }
    }
}

#[test]
fn a_confirmation_can_be_interrupted_at_each_step() {
    let armed = || {
        let node = Node::new();
        node.succeeds(&["arm", "600"]);
        node.switch_to_new();
        node
    };
    let (whole, steps) = cut(&armed(), &["confirm"], usize::MAX);
    assert!(whole.status.success(), "{whole:?}");
    for at in 1..=steps {
        let node = armed();
        cut(&node, &["confirm"], at);
        if node.state("state") == "armed" {
            node.succeeds(&["confirm"]);
        }
        node.succeeds(&["watch"]);
        assert_eq!(node.systems().0, "new", "step {at} of {steps}");
    }
}

/// At each step either the old system boots and the node rolls back, or the new one is kept.
#[test]
fn a_reboot_and_its_confirmation_can_be_interrupted_at_each_step() {
    let armed = || {
        let node = Node::new();
        node.succeeds(&["arm", "600"]);
        node.install_new();
        node
    };
    let (whole, steps) = cut(&armed(), &["reboot"], usize::MAX);
    assert!(whole.status.success() && steps >= 4, "{steps} steps: {whole:?}");
    for at in 1..=steps {
        let node = armed();
        cut(&node, &["reboot"], at);
        node.reboot_into("old");
        node.note("deadline", "1");
        node.succeeds(&["watch"]);
        assert_eq!(node.systems(), only("old"), "step {at} of {steps}");
    }

    let booted = || {
        let node = armed();
        node.succeeds(&["reboot"]);
        node.reboot_into("new");
        node
    };
    let (whole, steps) = cut(&booted(), &["confirm"], usize::MAX);
    assert!(whole.status.success() && steps >= 4, "{steps} steps: {whole:?}");
    for at in 1..=steps {
        let node = booted();
        cut(&node, &["confirm"], at);
        match node.state("state").as_str() {
            "armed" => node.succeeds(&["confirm"]),
            _ => node.succeeds(&["watch"]),
        };
        assert!(node.calls().contains("new boot\n"), "step {at} of {steps}");
        assert_eq!((node.systems(), node.state("state")), (only("new"), "confirmed".to_owned()), "step {at}");
    }
}
