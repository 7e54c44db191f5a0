//! `rk1 init`: the commented file, the proposals, and the questions on a terminal.

#![allow(clippy::expect_used, reason = "a failed step is a failed test")]

#[path = "../requirement/mod.rs"]
mod requirement;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A public key without a private key.
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpGsjHz5ueLOKAjtTmSLtDtWsuIWBjcAWGgu5rnCQmC me@home";
/// What no test may take from the machine that it runs on.
const NETWORK: [&str; 4] = ["--network", "192.168.7.0/24", "--gateway", "192.168.7.1"];

/// Returns a folder that is also a home folder with a public key.
fn home() -> TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    fs::create_dir(folder.path().join(".ssh")).expect("a folder");
    fs::write(folder.path().join(".ssh/id_ed25519.pub"), format!("{KEY}\n")).expect("a key");
    folder
}

fn rk1(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rk1"));
    command.args(arguments).current_dir(home).env("HOME", home).env("NO_COLOR", "1").env_remove("RK1_FILE");
    command.stdin(Stdio::null());
    command
}

fn seen(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("rk1 runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

fn written(home: &TempDir) -> String {
    fs::read_to_string(home.path().join("cluster.toml")).expect("cluster.toml")
}

const PROPOSED: &str = r#"# Every other key, with its default: docs/cluster-file.md.

[cluster]
name = "turing-pi"
domain = "home.arpa"

[access]
ssh-keys = [
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpGsjHz5ueLOKAjtTmSLtDtWsuIWBjcAWGgu5rnCQmC me@home",
]

[network]
gateway = "192.168.7.1"

[[board]]
name = "turing-pi"
bmc = "192.168.7.220"

[[node]]
name = "turing-pi-1"
slot = 1
address = "192.168.7.221/24"
role = "server"

[[node]]
name = "turing-pi-2"
slot = 2
address = "192.168.7.222/24"
role = "server"

[[node]]
name = "turing-pi-3"
slot = 3
address = "192.168.7.223/24"
role = "server"

[[node]]
name = "turing-pi-4"
slot = 4
address = "192.168.7.224/24"
role = "agent"

[storage]
device = "/dev/nvme0n1"

# Addresses of services. The router's DHCP server must not give them out.
[[pool]]
name = "local"
ranges = ["192.168.7.225-192.168.7.234"]

[gateway]
address = "192.168.7.225"

# An authority of the cluster's own signs the certificates: browsers warn of it.
[certificates]
issuer = "self-signed"
"#;

#[test]
fn the_proposals_are_a_cluster_without_mistakes() {
    let home = home();
    let init = [&["init", "--yes"][..], &NETWORK].concat();
    let expected = "cluster.toml is written: read it, then run `rk1 check` and `rk1 secrets --generate`\n";
    assert_eq!(seen(&mut rk1(home.path(), &init)), (Some(0), String::new(), expected.to_owned()));
    assert_eq!(written(&home), PROPOSED);
    let check = seen(&mut rk1(home.path(), &["check"]));
    assert_eq!(check, (Some(0), String::new(), "cluster.toml: 4 nodes, no mistakes\n".to_owned()));
    let again = seen(&mut rk1(home.path(), &init));
    let refused =
        "error: `cluster.toml` exists already\n  hint: move it away, or name another file with `--file`\n";
    assert_eq!(again, (Some(1), String::new(), refused.to_owned()));
}

#[test]
fn every_answer_is_an_option() {
    let home = home();
    fs::write(home.path().join("other.pub"), KEY.replace("me@home", "other")).expect("a key");
    let options = [
        "init",
        "--yes",
        "--name",
        "rack",
        "--domain",
        "smith.io",
        "--ssh-key",
        "other.pub",
        "--network",
        "10.42.8.0/24",
        "--gateway",
        "10.42.8.254",
        "--bmc",
        "10.42.8.9",
        "--nodes",
        "2",
        "--first-node",
        "10.42.8.10",
        "--router",
        "mikrotik",
        "--services",
        "10.99.0.0/24",
        "--dns-provider",
        "cloudflare",
        "--grafana",
        "https://grafana.smith.io",
    ];
    assert_eq!(seen(&mut rk1(home.path(), &options)).0, Some(0));
    let expected = r#"# Every other key, with its default: docs/cluster-file.md.

[cluster]
name = "rack"
domain = "smith.io"

[access]
ssh-keys = [
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpGsjHz5ueLOKAjtTmSLtDtWsuIWBjcAWGgu5rnCQmC other",
]

[network]
gateway = "10.42.8.254"
# The default ranges, 10.42.0.0/16 and 10.43.0.0/16, overlap your network.
pods = "172.20.0.0/16"
services = "172.21.0.0/16"

[[board]]
name = "rack"
bmc = "10.42.8.9"

[[node]]
name = "rack-1"
slot = 1
address = "10.42.8.10/24"
role = "server"

[[node]]
name = "rack-2"
slot = 2
address = "10.42.8.11/24"
role = "agent"

[storage]
device = "/dev/nvme0n1"

[bgp]
asn = 64512
pool = "10.99.0.0/24"

[[bgp.router]]
name = "router"
address = "10.42.8.254"
platform = "routeros"
# The release that it runs.
version = "7.18"
password = "bgp-password"

[gateway]
address = "10.99.0.1"

[certificates.cloudflare]
api-token = "cloudflare-token"

[streamer]
url = "https://grafana.smith.io"
token = "grafana-token"

[secrets]
bgp-password = "secrets/bgp-password"
cloudflare-token = "secrets/cloudflare-token"
grafana-token = "secrets/grafana-token"
"#;
    assert_eq!(written(&home), expected);
}

#[test]
fn a_wrong_option_is_refused_and_nothing_is_written() {
    for (option, value, mistake) in [
        ("--name", "Rack!", "`Rack!` is not a DNS label: it contains `R`"),
        ("--domain", "home", "`home` is a single label, not a domain"),
        ("--ssh-key", "none.pub", "cannot read `none.pub`: No such file or directory (os error 2)"),
        ("--gateway", "192.168.7", "`192.168.7` is not an IPv4 address, such as 192.168.1.10"),
        ("--network", "192.168.7.1", "`192.168.7.1` is not a network, such as 192.168.1.0/24"),
        ("--nodes", "5", "`5` is not a number from 1 to 4; add further boards to the file later"),
        (
            "--router",
            "micrtik",
            "`micrtik` is not known: write one of none, routeros, frr, bird, vyos, opnsense, pfsense, openwrt, unifi",
        ),
        ("--dns-provider", "cloudfare", "`cloudfare` is not known: did you mean `cloudflare`?"),
        (
            "--services",
            "192.168.7.9-192.168.7.2",
            "`192.168.7.9-192.168.7.2` is not a range, such as 192.168.1.200-192.168.1.209",
        ),
        ("--grafana", "grafana", "`grafana` is not a URL, such as https://grafana.home.arpa"),
    ] {
        let home = home();
        let mut arguments = vec!["init", "--yes", option, value];
        if option != "--network" && option != "--gateway" {
            arguments.extend(NETWORK);
        } else if option == "--gateway" {
            arguments.extend(&NETWORK[..2]);
        }
        let expected = format!("error: {mistake}\n  hint: write another value for `{option}`\n");
        assert_eq!(seen(&mut rk1(home.path(), &arguments)), (Some(1), String::new(), expected));
        assert!(!home.path().join("cluster.toml").exists(), "{option}");
    }
}

#[test]
fn answers_that_do_not_fit_together_are_not_written() {
    let home = home();
    let init = [&["init", "--yes", "--bmc", "192.168.7.221"][..], &NETWORK].concat();
    let (code, _, stderr) = seen(&mut rk1(home.path(), &init));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("192.168.7.221") && stderr.contains("nothing was written"), "{stderr}");
    assert!(!home.path().join("cluster.toml").exists());
}

#[test]
fn nothing_is_asked_without_a_terminal() {
    let home = home();
    let (code, _, stderr) = seen(&mut rk1(home.path(), &["init", "--domain", "smith.io"]));
    let expected = "error: cannot ask for the other answers: standard input is not a terminal\n  \
                    hint: take the proposals for them with `--yes`\n";
    assert_eq!((code, stderr.as_str()), (Some(1), expected));
    let (code, _, stderr) = seen(&mut rk1(home.path(), &["init"]));
    let expected = "cluster.toml is written: fill in the addresses, then run `rk1 check`\n";
    assert_eq!((code, stderr.as_str()), (Some(0), expected));
    assert!(written(&home).starts_with("# A cluster of RK1 modules in Turing Pi 2 boards.\n"));
}

/// Types lines on a terminal, and returns the exit code and what the terminal showed.
fn converse(home: &Path, line: &str, typed: &str) -> (Option<i32>, String) {
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--flush", "--echo", "never", "--command", line, "/dev/null"]);
    command.current_dir(home).env("HOME", home).env("RK1", env!("CARGO_BIN_EXE_rk1")).env("NO_COLOR", "1");
    command.env("SHELL", "/bin/sh").env_remove("RK1_FILE");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("script runs");
    child.stdin.take().expect("input").write_all(typed.as_bytes()).expect("answers");
    let output = child.wait_with_output().expect("it ends");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).replace('\r', ""))
}

#[test]
fn a_terminal_is_asked_until_each_answer_makes_sense() {
    let test = "a_terminal_is_asked_until_each_answer_makes_sense";
    if Command::new("script").arg("--version").output().is_err() {
        requirement::skipped(test, "`script` is not installed");
        return;
    }
    let home = home();
    let line = format!("$RK1 init {}", NETWORK.join(" "));
    // All proposals but for a domain, which takes three tries, and the number of modules.
    let typed = "\nhome\nhome lab\nhome.arpa\n\n\n7\n1\n\n\n\n\n\n";
    let (code, shown) = converse(home.path(), &line, typed);
    assert_eq!(code, Some(0), "{shown}");
    let key = home.path().join(".ssh/id_ed25519.pub");
    let expected = format!(
        "Name of the cluster [turing-pi]: Domain of its host names [home.arpa]:   `home` is a single label, not a domain\n\
         Domain of its host names [home.arpa]:   `home lab` is not a DNS label: it contains ` `\n\
         Domain of its host names [home.arpa]: Public SSH key that may log in [{}]: \
         Address of the board's controller (BMC) [192.168.7.220]: \
         Number of modules [4]:   `7` is not a number from 1 to 4; add further boards to the file later\n\
         Number of modules [4]: Address of the first module [192.168.7.221]: \
         A router that speaks BGP, if there is one (none, routeros, frr, bird, vyos, opnsense, pfsense, openwrt, unifi) [none]: \
         Free addresses of the network, for services [192.168.7.225-192.168.7.234]: \
         DNS provider of the domain, for certificates of Let's Encrypt (none, azure-dns, cloudflare, route53, \
         google-cloud-dns, digitalocean, akamai, acme-dns, rfc2136) [none]: \
         URL of a Grafana that shows packets [none]: cluster.toml is written: read it, then run `rk1 check` and `rk1 secrets --generate`\n",
        key.display()
    );
    // Without the echo of what was typed.
    let echoed: String = shown.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(squeeze(&echoed), squeeze(&expected));
    let nodes = written(&home).matches("[[node]]").count();
    assert_eq!(nodes, 1);
}

#[test]
fn an_end_of_input_writes_nothing() {
    let test = "an_end_of_input_writes_nothing";
    if Command::new("script").arg("--version").output().is_err() {
        requirement::skipped(test, "`script` is not installed");
        return;
    }
    let home = home();
    let (code, shown) = converse(home.path(), "$RK1 init", "attic\n\u{4}");
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("standard input has ended before the last answer"), "{shown}");
    assert!(!home.path().join("cluster.toml").exists());
}
