//! On the interface and off it again.

use crate::daemon::{Daemon, command};
use crate::lab::{WATCHED, ip};
use crate::{frame, lab, wait_until};
use snapbox::{assert_data_eq, file};
use std::time::Duration;

const STDOUT: [&str; 4] = ["--sink", "stdout", "--format", "line"];

fn shown(daemon: &Daemon) -> usize {
    daemon.output().lines().filter(|line| line.starts_with("packet_details ")).count()
}

#[test]
fn each_mode_sees_packets_and_leaves_nothing_behind() {
    let Some(lab) = lab("each_mode_sees_packets_and_leaves_nothing_behind") else { return };
    for (flags, mode) in [
        (&["--xdp-mode", "auto"][..], "driver"),
        (&["--xdp-mode", "driver"], "driver"),
        (&["--xdp-mode", "generic"], "generic"),
        (&["--hook", "tcx"], "tcx"),
    ] {
        let mut daemon = Daemon::start(&lab, &[&STDOUT[..], flags].concat());
        assert!(daemon.log().contains(&format!("`end0`: attached in {mode} mode")), "{}", daemon.log());
        lab.send(&[frame::ssdp()]);
        wait_until("the packet is shown", || shown(&daemon) == 1);
        let (status, time) = daemon.terminate();
        assert!(status.success() && time < Duration::from_secs(2), "{status} after {time:?}");
        assert!(!lab.link().contains("xdp"), "{}", lab.link());
    }
}

#[test]
fn a_killed_daemon_leaves_nothing_behind() {
    let Some(lab) = lab("a_killed_daemon_leaves_nothing_behind") else { return };
    let mut daemon = Daemon::start(&lab, &STDOUT);
    assert!(lab.link().contains("xdp"), "{}", lab.link());
    daemon.kill();
    // The kernel drops the link once the last descriptor is closed, which may take a moment.
    wait_until("the program is gone", || !lab.link().contains("xdp"));
}

/// The error names who is there; TCX works beside it.
#[test]
fn a_taken_hook_is_explained_and_gone_around() {
    let Some(lab) = lab("a_taken_hook_is_explained_and_gone_around") else { return };
    let first = Daemon::start(&lab, &STDOUT);
    let second = command(&lab, &["run", "-i", WATCHED, "--once"]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let message = String::from_utf8(second.stderr).unwrap();
    let digits =
        |text: &str| text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect::<String>();
    let numbered = digits(&message.replace("end0", "IFACE"));
    let mut plain = numbered.clone();
    while plain.contains("00") {
        plain = plain.replace("00", "0");
    }
    assert_data_eq!(plain, file!["snapshots/taken_hook.txt"].raw());

    let generic = command(&lab, &["run", "-i", WATCHED, "--once", "--xdp-mode", "generic"]).output().unwrap();
    assert!(String::from_utf8(generic.stderr).unwrap().contains("wanted: generic mode"));

    let check = command(&lab, &["check", WATCHED]).output().unwrap();
    let text = String::from_utf8(check.stdout).unwrap();
    assert!(
        text.contains("note  the XDP hook is taken: program") && text.contains("hint: use --hook tcx"),
        "{text}"
    );
    assert!(check.status.success());

    let beside = Daemon::start(&lab, &[&STDOUT[..], &["--hook", "tcx"]].concat());
    lab.send(&[frame::ssdp()]);
    wait_until("both show the packet", || shown(&beside) == 1 && shown(&first) == 1);
}

#[test]
fn an_interface_may_go_and_come_back() {
    let Some(lab) = lab("an_interface_may_go_and_come_back") else { return };
    let mut daemon = Daemon::start(&lab, &STDOUT);
    lab.send(&[frame::datagram(1)]);
    wait_until("the packet is shown", || shown(&daemon) == 1);
    lab.unplug();
    wait_until("its end is noticed", || daemon.log().contains("`end0` is gone; waiting for it to come back"));
    lab.plug();
    wait_until("its return is noticed", || daemon.log().contains("`end0` is back: attached in driver mode"));
    lab.send(&[frame::datagram(2)]);
    wait_until("packets are shown again", || shown(&daemon) == 2);
    // Gone and back within a second: another interface under the same name.
    lab.unplug();
    lab.plug();
    wait_until("the new one is noticed", || daemon.log().matches("is back").count() == 2);
    lab.send(&[frame::datagram(3)]);
    wait_until("packets are shown again", || shown(&daemon) == 3);
    assert!(daemon.terminate().0.success());
    assert!(daemon.log().contains("3 packets seen, 3 shown"), "{}", daemon.log());
}

/// Interfaces that match a pattern join while the daemon runs, and leave it when they disappear. Others do not join.
#[test]
fn interfaces_that_match_a_pattern_join_and_leave() {
    let Some(lab) = lab("interfaces_that_match_a_pattern_join_and_leave") else { return };
    let rows = |daemon: &Daemon, interface: &str| {
        let field = format!("interface=\"{interface}\"");
        daemon
            .output()
            .lines()
            .filter(|line| line.starts_with("packet_details ") && line.contains(&field))
            .count()
    };
    let arguments = [&["run", "-i", "en*0,extra*", "--metrics", "127.0.0.1:9469"][..], &STDOUT].concat();
    let mut daemon = Daemon::spawn(command(&lab, &arguments));
    lab.send(&[frame::datagram(1)]);
    wait_until("the packet is shown", || rows(&daemon, WATCHED) == 1);
    for round in 1..=2 {
        for name in ["extra1", "other1"] {
            let node = lab.node.as_str();
            ip(&["-n", node, "link", "add", name, "type", "veth", "peer", "name", &format!("{name}p")]);
            ip(&["-n", node, "link", "set", name, "up"]);
            ip(&["-n", node, "link", "set", &format!("{name}p"), "up"]);
        }
        wait_until("it joins", || daemon.log().matches("`extra1`: attached in").count() == round);
        ip(&["-n", &lab.node, "link", "delete", "extra1"]);
        ip(&["-n", &lab.node, "link", "delete", "other1"]);
        wait_until("it leaves", || daemon.log().matches("`extra1`: the interface is gone").count() == round);
    }
    let page =
        crate::lab::in_namespace(&lab.node, || crate::store::request("127.0.0.1:9469", "GET", "/metrics"));
    assert!(page.contains("interface=\"end0\"") && !page.contains("extra1"), "{page}");
    lab.send(&[frame::datagram(2)]);
    wait_until("the first interface is still streamed", || rows(&daemon, WATCHED) == 2);
    assert!(daemon.terminate().0.success());
    assert!(!daemon.log().contains("other1"), "{}", daemon.log());
}

#[test]
fn any_is_every_interface_of_the_moment() {
    let Some(lab) = lab("any_is_every_interface_of_the_moment") else { return };
    let mut daemon = Daemon::spawn(command(&lab, &[&["run", "-i", "any"][..], &STDOUT].concat()));
    wait_until("all are attached", || {
        ["end0", "lo"].iter().all(|name| daemon.log().contains(&format!("`{name}`: attached")))
    });
    lab.send(&[frame::datagram(1)]);
    wait_until("the packet is shown", || shown(&daemon) == 1);
    assert!(daemon.terminate().0.success());

    let none = command(&lab, &["run", "-i", "nosuch*", "--once"]).output().unwrap();
    assert_eq!(none.status.code(), Some(1));
    assert_eq!(String::from_utf8(none.stderr).unwrap(), "xdp-streamer: no interface matches `nosuch*`\n");
}

#[test]
fn a_missing_interface_is_told_beside_those_there_are() {
    let Some(lab) = lab("a_missing_interface_is_told_beside_those_there_are") else { return };
    let output = command(&lab, &["run", "-i", "eht0", "--once"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("xdp-streamer: there is no interface `eht0`\nhint: there are "), "{message}");
}
