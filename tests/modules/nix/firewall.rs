//! The firewall of hosts, with real iptables in network namespaces: who reaches which port.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use snapbox::assert_data_eq;

use crate::evaluator::{Nix, ROOT};
use crate::{requirement, snapshot, strings};

/// What is missing to play it.
fn missing() -> Option<&'static str> {
    let runs = |program: &str, arguments: &[&str]| {
        Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
    };
    if !fs::read_to_string("/proc/self/status").unwrap().contains("\nUid:\t0\t") {
        return Some("it needs root");
    }
    [
        (runs("ip", &["-Version"]), "ip is not installed (Debian: iproute2)"),
        (runs("iptables", &["--version"]), "iptables is not installed (Debian: iptables)"),
    ]
    .into_iter()
    .find_map(|(is_there, what)| (!is_there).then_some(what))
}

/// The ports that each client reaches, a line for each client.
fn reached(name: &str, firewall: &Value) -> String {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    fs::write(&rules, strings(&firewall["rules"]).join("\n")).unwrap();
    let allowed = firewall["allowedTCPPorts"].as_array().unwrap().iter().map(ToString::to_string);
    let output = Command::new(Path::new(ROOT).join("tests/modules/nix/firewall.sh"))
        .arg(format!("fw{}-{name}", std::process::id()))
        .arg(&rules)
        .arg(allowed.collect::<Vec<_>>().join(" "))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let mut words = line.split(' ').map(str::to_owned);
        let (client, port, state) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        if lines.last().is_none_or(|(last, _)| *last != client) {
            lines.push((client, Vec::new()));
        }
        if state == "open" {
            lines.last_mut().unwrap().1.push(port);
        }
    }
    lines.iter().fold(String::new(), |mut text, (client, ports)| {
        writeln!(text, "{client} -> {name}: {}", ports.join(" ")).unwrap();
        text
    })
}

#[test]
fn each_port_is_open_to_those_who_need_it() {
    let test = "firewall::each_port_is_open_to_those_who_need_it";
    let Some(nix) = Nix::new(test) else { return };
    if let Some(because) = missing() {
        requirement::skipped(test, because);
        return;
    }
    let firewalls = nix.value("builtins.mapAttrs (_: host: host.firewall) report.hosts");
    let played = ["rk1-01", "rk1-04"].map(|name| reached(name, &firewalls[name]));
    assert_data_eq!(played.concat(), snapshot("firewall.txt").raw());
}
