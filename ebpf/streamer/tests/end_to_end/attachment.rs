//! Attaching to an interface and detaching from it.

use crate::daemon::{Daemon, command};
use crate::lab::{WATCHED, ip};
use crate::{frame, lab, wait_until};
use snapbox::{assert_data_eq, file};
use std::process::Command;
use std::time::{Duration, Instant};

const STDOUT: [&str; 4] = ["--sink", "stdout", "--format", "line"];

fn shown(daemon: &Daemon) -> usize {
    daemon.output().lines().filter(|line| line.starts_with("packet_details ")).count()
}

#[test]
fn each_mode_sees_packets_and_leaves_nothing_behind() {
    let Some(lab) = lab("each_mode_sees_packets_and_leaves_nothing_behind") else { return };
    for (flags, mode) in [
        // On veth, driver mode would copy each packet.
        (&[][..], "tcx"),
        (&["--xdp-mode", "auto"], "tcx"),
        (&["--hook", "xdp"], "driver"),
        (&["--xdp-mode", "driver"], "driver"),
        (&["--xdp-mode", "generic"], "generic"),
        (&["--hook", "tcx"], "tcx"),
    ] {
        let mut daemon = Daemon::start(&lab, &[&STDOUT[..], flags].concat());
        assert!(daemon.log().contains(&format!("`end0`: attached in {mode} mode: ")), "{}", daemon.log());
        let is_explained = daemon.log().contains("driver mode on veth would copy each packet");
        assert_eq!(is_explained, matches!(flags, [] | ["--xdp-mode", "auto"]), "{}", daemon.log());
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
    let mut daemon = Daemon::start(&lab, &[&STDOUT[..], &["--hook", "xdp"]].concat());
    assert!(lab.link().contains("xdp"), "{}", lab.link());
    daemon.kill();
    // The kernel drops the link once the last descriptor is closed, which may take a moment.
    wait_until("the program is gone", || !lab.link().contains("xdp"));
}

/// The error names the program that is there; TCX works beside it.
#[test]
fn a_hook_in_use_is_explained() {
    let Some(lab) = lab("a_hook_in_use_is_explained") else { return };
    let first = Daemon::start(&lab, &[&STDOUT[..], &["--hook", "xdp"]].concat());
    let second = command(&lab, &["run", "-i", WATCHED, "--once", "--hook", "xdp"]).output().unwrap();
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
        text.contains("note  the XDP hook is in use by program")
            && text.contains("hint: --hook tcx works beside it"),
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
    wait_until("its return is noticed", || daemon.log().contains("`end0` is back: attached in tcx mode"));
    lab.send(&[frame::datagram(2)]);
    wait_until("packets are shown again", || shown(&daemon) == 2);
    // Deleted and created within a second: another interface with the same name.
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
fn any_selects_every_interface() {
    let Some(lab) = lab("any_selects_every_interface") else { return };
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
fn a_missing_interface_is_reported_with_the_existing_ones() {
    let Some(lab) = lab("a_missing_interface_is_reported_with_the_existing_ones") else { return };
    let output = command(&lab, &["run", "-i", "eht0", "--once"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.starts_with("xdp-streamer: there is no interface `eht0`\nhint: use one of "),
        "{message}"
    );
}

/// Runs a program on the host, and returns what it prints.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the id of the XDP link of the watched interface.
fn xdp_link(lab: &crate::lab::Lab) -> String {
    let link = lab.link();
    let rest = link.split("prog/xdp id ").nth(1).unwrap();
    let program: u64 = rest.split(' ').next().unwrap().parse().unwrap();
    let links: serde_json::Value = serde_json::from_str(&output("bpftool", &["-j", "link", "show"])).unwrap();
    let found = links.as_array().unwrap().iter().find(|link| link["prog_id"].as_u64() == Some(program));
    found.unwrap()["id"].to_string()
}

fn has_bpftool(test: &str) -> bool {
    let has = Command::new("bpftool").arg("version").output().is_ok();
    if !has {
        crate::requirement::skipped(test, "there is no `bpftool`");
    }
    has
}

/// Somebody else detaches the program, as an administrator does with `bpftool`.
#[test]
fn a_program_that_somebody_else_detached_is_attached_again() {
    let test = "a_program_that_somebody_else_detached_is_attached_again";
    let Some(lab) = lab(test) else { return };
    if !has_bpftool(test) {
        return;
    }
    let mut daemon = Daemon::start(&lab, &[&STDOUT[..], &["--hook", "xdp"]].concat());
    for _ in 0..2 {
        output("bpftool", &["link", "detach", "id", &xdp_link(&lab)]);
        let start = Instant::now();
        assert!(!lab.link().contains("xdp"), "{}", lab.link());
        wait_until("it is attached again", || lab.link().contains("xdp"));
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }
    lab.send(&[frame::datagram(1)]);
    wait_until("the packet is shown", || shown(&daemon) == 1);
    assert!(daemon.terminate().0.success());
    let log = daemon.log();
    assert_eq!(log.matches("the program is not attached any more").count(), 1, "{log}");
    assert_eq!(log.matches("attached again in driver mode").count(), 1, "{log}");

    let mut strict = Daemon::start(&lab, &[&STDOUT[..], &["--hook", "xdp", "--exit-on-detach"]].concat());
    output("bpftool", &["link", "detach", "id", &xdp_link(&lab)]);
    assert_eq!(strict.ended().code(), Some(1));
    assert!(strict.log().contains("somebody else has detached the program from `end0`"), "{}", strict.log());
}

/// Another interface with the same name and the same index: only the link itself knows.
#[test]
fn an_interface_created_again_with_its_index_is_noticed() {
    let Some(lab) = lab("an_interface_created_again_with_its_index_is_noticed") else { return };
    for hook in ["xdp", "tcx"] {
        let mut daemon = Daemon::start(&lab, &[&STDOUT[..], &["--hook", hook]].concat());
        let index = lab.link().split(':').next().unwrap().trim().to_owned();
        let index = index.split_whitespace().last().unwrap().to_owned();
        lab.unplug();
        lab.plug_as(Some(&index));
        assert!(lab.link().starts_with(&format!("{index}: ")), "{}", lab.link());
        let start = Instant::now();
        wait_until("it is noticed", || daemon.log().contains("attached again in"));
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        lab.send(&[frame::datagram(1)]);
        wait_until("the packet is shown", || shown(&daemon) == 1);
        assert!(daemon.terminate().0.success());
    }
}

/// One program is linked to two interfaces: the hint names the link of the interface that was asked for.
#[test]
fn a_hint_to_detach_is_about_this_very_interface() {
    let Some(lab) = lab("a_hint_to_detach_is_about_this_very_interface") else { return };
    let test = "a_hint_to_detach_is_about_this_very_interface";
    if !has_bpftool(test) {
        return;
    }
    let node = lab.node.as_str();
    ip(&["-n", node, "link", "add", "s1", "type", "veth", "peer", "name", "s2"]);
    let _another = crate::lab::in_namespace(node, || {
        let mut another = aya::Ebpf::load(packet_object::COMPARISON).unwrap();
        let program: &mut aya::programs::Xdp = another.program_mut("empty").unwrap().try_into().unwrap();
        program.load().unwrap();
        for interface in ["s1", "s2"] {
            program.attach(interface, aya::programs::xdp::XdpMode::Driver).unwrap();
        }
        another
    });
    let taken = |interface: &str| {
        let arguments = ["-n", node, "-details", "link", "show", interface];
        output("ip", &arguments).contains("prog/xdp")
    };
    for (asked, other) in [("s2", "s1"), ("s1", "s2")] {
        let refused = command(&lab, &["run", "-i", asked, "--hook", "xdp", "--once"]).output().unwrap();
        let message = String::from_utf8(refused.stderr).unwrap();
        let hint = message.split("bpftool link detach id ").nth(1).unwrap_or_else(|| panic!("{message}"));
        let before = taken(other);
        output("bpftool", &["link", "detach", "id", hint.trim()]);
        assert_eq!((taken(asked), taken(other)), (false, before), "after the hint for {asked}");
    }
}

/// A tunnel has no Ethernet header: rows are read from the IP header on.
#[test]
fn packets_without_an_ethernet_header_are_read() {
    let Some(lab) = lab("packets_without_an_ethernet_header_are_read") else { return };
    let node = lab.node.as_str();
    ip(&["-n", node, "tuntap", "add", "dev", "tun0", "mode", "tun"]);
    let mut tunnel = crate::lab::in_namespace(node, || crate::lab::open_tunnel("tun0"));
    ip(&["-n", node, "link", "set", "tun0", "up"]);

    let check = command(&lab, &["check", "tun0"]).output().unwrap();
    let text = String::from_utf8(check.stdout).unwrap();
    assert!(
        text.contains("IP without Ethernet, driver tun") && text.contains("only --hook tcx works"),
        "{text}"
    );
    for flags in [&["--hook", "xdp"][..], &["--xdp-mode", "generic"], &["--xdp-mode", "driver"]] {
        let refused =
            command(&lab, &[&["run", "-i", "tun0", "--once"][..], flags].concat()).output().unwrap();
        let message = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{message}");
        assert!(message.contains("begin with the IP header") && message.contains("--hook tcx"), "{message}");
    }

    let mut daemon = Daemon::spawn(command(&lab, &[&["run", "-i", "tun0"][..], &STDOUT].concat()));
    for packet in [frame::datagram(7), frame::ssdp()] {
        std::io::Write::write_all(&mut tunnel, &packet[14..]).unwrap();
    }
    wait_until("the packets are shown", || shown(&daemon) == 2);
    assert!(daemon.terminate().0.success());
    let output = daemon.output();
    let rows: Vec<&str> = output.lines().filter(|line| line.starts_with("packet_details ")).collect();
    assert!(
        rows[0].starts_with("packet_details source_mac=\"\",destination_mac=\"\",source_ip=\"192.0.2.77\""),
        "{rows:?}"
    );
    assert!(rows[0].contains("protocol=\"UDP\"") && rows[0].contains("destination_port=7i"), "{rows:?}");
    assert!(rows[0].contains("cast=\"unicast\"") && rows[1].contains("cast=\"multicast\""), "{rows:?}");
    assert!(rows.iter().all(|row| row.contains("fault=\"\"") && row.contains("vendor=\"\"")), "{rows:?}");
}

/// The device lets all multicast frames through as long as the daemon lives, however it dies.
#[test]
fn reception_ends_with_the_process() {
    let Some(lab) = lab("reception_ends_with_the_process") else { return };
    let state = || {
        let link = lab.link();
        let of = |name: &str| {
            link.split(name).nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap().to_owned()
        };
        (of("promiscuity "), of("allmulti "))
    };
    let pair = |promiscuity: &str, all: &str| (promiscuity.to_owned(), all.to_owned());
    assert_eq!(state(), pair("0", "0"));
    for (flag, expected) in [("--all-multicast", pair("0", "1")), ("--promiscuous", pair("1", "0"))] {
        let mut daemon = Daemon::start(&lab, &[&STDOUT[..], &[flag]].concat());
        assert_eq!(state(), expected, "{flag}");
        daemon.kill();
        wait_until("it ends", || state() == pair("0", "0"));
    }
}

/// Sent packets have rows of their own, and both directions are one conversation.
#[test]
fn both_directions_are_watched() {
    let Some(lab) = lab("both_directions_are_watched") else { return };
    let question = frame::datagram(9);
    let mut answer = question.clone();
    // IPv4 addresses and UDP ports, the other way around.
    for (one, other, length) in [(26, 30, 4), (34, 36, 2)] {
        for at in 0..length {
            answer.swap(one + at, other + at);
        }
    }
    let count = |daemon: &Daemon, direction: &str| {
        let field = format!("direction=\"{direction}\"");
        daemon
            .output()
            .lines()
            .filter(|line| line.starts_with("packet_details ") && line.contains(&field))
            .count()
    };
    for (flag, received, sent) in [("in", 2, 0), ("out", 0, 1), ("both", 2, 1)] {
        let mut daemon = Daemon::start(&lab, &[&STDOUT[..], &["--direction", flag]].concat());
        // Question and answer within one tick of the clock would leave open who began.
        lab.send(std::slice::from_ref(&question));
        std::thread::sleep(Duration::from_millis(50));
        lab.send_from_node(std::slice::from_ref(&answer));
        std::thread::sleep(Duration::from_millis(50));
        lab.send(std::slice::from_ref(&question));
        wait_until("all are shown", || count(&daemon, "in") == received && count(&daemon, "out") == sent);
        wait_until("the conversation is reported", || daemon.output().contains("top_talkers "));
        assert!(daemon.terminate().0.success());
        let output = daemon.output();
        let talker = output.lines().find(|line| line.starts_with("top_talkers ")).unwrap();
        let volumes = ["packets", "reply_packets"].map(|field| crate::rows::integer(talker, field));
        let expected = if flag == "out" { [1, 0] } else { [2, i64::from(flag == "both")] };
        assert_eq!(volumes, expected, "{talker}");
        let [first, last] =
            ["first_seen_ms", "last_seen_ms"].map(|field| crate::rows::integer(talker, field));
        assert!(last - first >= if flag == "out" { 0 } else { 80 } && last - first < 5000, "{talker}");
    }
    let refused =
        command(&lab, &["run", "-i", WATCHED, "--hook", "xdp", "--direction", "both"]).output().unwrap();
    let message = String::from_utf8(refused.stderr).unwrap();
    assert!(message.contains("XDP programs see received packets only"), "{message}");
}

/// A filter decides which packets have rows and flows; totals are of all packets.
#[test]
fn a_filter_chooses_rows_and_totals_stay() {
    let Some(lab) = lab("a_filter_chooses_rows_and_totals_stay") else { return };
    for hook in [&["--hook", "xdp"][..], &["--xdp-mode", "generic"], &["--hook", "tcx"]] {
        let filter = ["--filter", "udp port 9 and not host 192.0.2.1"];
        let mut daemon = Daemon::start(&lab, &[&STDOUT[..], hook, &filter].concat());
        lab.send(&[frame::datagram(9), frame::datagram(10), frame::ssdp(), frame::datagram(9)]);
        wait_until("the matching packets are shown", || shown(&daemon) == 2);
        wait_until("the flow is reported", || daemon.output().contains("top_talkers "));
        assert!(daemon.terminate().0.success());
        let output = daemon.output();
        let total = |field: &str| -> i64 {
            let rates = output.lines().filter(|line| line.starts_with("packet_rate "));
            rates.map(|line| crate::rows::integer(line, field)).sum()
        };
        let totals = ["packets", "matched", "filtered_out", "shown"].map(total);
        assert_eq!(totals, [4, 2, 2, 2], "{hook:?}");
        assert!(!output.lines().any(|line| line.starts_with("top_talkers ") && !line.contains("_port=9i")));
    }
    let refused = command(&lab, &["run", "-i", WATCHED, "--filter", "tcp port http"]).output().unwrap();
    let message = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(message.contains("column 10: `http` is not a port"), "{message}");
}
