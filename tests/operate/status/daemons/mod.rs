//! What real FRR and real BIRD answer, with their rendered files and two of four nodes there.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use snapbox::assert_data_eq;

use crate::cluster::TestCluster;
use crate::host::Host;
use crate::network::alone;
use crate::requirement::skipped;

/// The longest that sessions take to come up.
const LIMIT: Duration = Duration::from_secs(90);

/// The router, its nodes, and what it was started with. All of it ends with this.
struct Network(Child);

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(folder: &Path, daemon: &str, file: &Path) -> Network {
    let script = format!("{}/tests/operate/status/daemons/network.sh", env!("CARGO_MANIFEST_DIR"));
    let child = Command::new("unshare")
        .args(["--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "--", "sh", &script])
        .args([folder, Path::new(daemon), file])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut network = Network(child.expect("`unshare` runs"));
    let mut said = String::new();
    BufReader::new(network.0.stdout.as_mut().expect("output")).read_line(&mut said).expect("a word");
    assert_eq!(said, "ready\n");
    network
}

/// Where a program lies, without the stand-ins.
fn program(name: &str) -> Option<String> {
    ["/usr/bin", "/usr/sbin", "/usr/lib/frr", "/usr/libexec/frr"]
        .map(|folder| format!("{folder}/{name}"))
        .into_iter()
        .find(|path| Path::new(path).exists())
}

/// Compares the router's part of what `rk1 status --json` says, once the router has the sessions of both nodes, with what is expected.
/// `shell` is the router's shell, told where the daemon listens.
fn compare(daemon: &str, version: &str, shell: (&'static str, &str), expected: &str) {
    let test = format!("what {daemon} answers");
    let programs = [shell.0, "bird", if daemon == "frr" { "bgpd" } else { "birdc" }];
    if let Some(missing) = programs.into_iter().find(|name| program(name).is_none()) {
        return skipped(&test, &format!("`{missing}` is not installed"));
    }
    alone(&test, &[], || {
        let folder = tempfile::tempdir().expect("temporary folder");
        // FRR's daemons are another user.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("mode");
        let mut cluster = TestCluster::well();
        cluster.give_ipv6();
        cluster.platform(daemon, version);
        // Behind the gateway's address there is nobody here.
        cluster.edit("[hubble]\nenable = true\n", "[hubble]\nenable = false\n");
        let file = folder.path().join("rendered");
        fs::write(&file, cluster.rendered_router()).expect("the router's file");
        let _network = start(folder.path(), daemon, &file);

        let arguments = shell.1.replace("FOLDER", &folder.path().display().to_string());
        let stand_in = format!("exec {} {arguments} \"$@\"\n", program(shell.0).expect("a program"));
        let host = Host::Programs(BTreeMap::from([(shell.0, stand_in)]));
        cluster.hosts.insert("root@172.16.10.1".to_owned(), host);
        cluster.move_kubernetes("172.16.10.1");
        (cluster.router.service, cluster.gateway.service) = (None, None);
        let (mut command, _folder) = cluster.start(&["--json", "--timeout=30"]);
        let started = Instant::now();
        loop {
            let output = command.output().expect("rk1 runs");
            let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            let router = format!("{:#}\n", found["routers"][0]);
            let up = ["10.200.200.1 goes to rk1-01, rk1-02,", "fd00:10:200:200::1 goes to rk1-01, rk1-02,"];
            // One question is asked after the other: routes may come between the two.
            let is_good =
                |number: usize| found["routers"][0]["sessions"][number]["finding"]["state"] == "good";
            let is_up = is_good(0) && is_good(1) && up.iter().all(|hops| router.contains(hops));
            if is_up || started.elapsed() > LIMIT {
                return assert_data_eq!(router, expected.to_owned());
            }
            thread::sleep(Duration::from_millis(500));
        }
    });
}

/// Two nodes' sessions are up, the others' are not; Kubernetes, which is a stand-in, has all four.
const EXPECTED: &str = r#"{
  "answers": {
    "state": "good",
    "what": "ssh root@172.16.10.1"
  },
  "name": "mikrotik",
  "next_hops": {
    "look_at": null,
    "state": "unknown",
    "why": "10.200.200.1 goes to rk1-01, rk1-02, not to rk1-03, rk1-04; see the sessions; IPv6: fd00:10:200:200::1 goes to rk1-01, rk1-02, not to rk1-03, rk1-04; see the sessions"
  },
  "sessions": [
    {
      "finding": {
        "state": "good",
        "what": "established UPTIME, 1 route; IPv6: established UPTIME, 1 route"
      },
      "node": "rk1-01"
    },
    {
      "finding": {
        "state": "good",
        "what": "established UPTIME, 1 route; IPv6: established UPTIME, 1 route"
      },
      "node": "rk1-02"
    },
    {
      "finding": {
        "cause": "one-sided",
        "look_at": "the log of mikrotik, and whether another device has its address 172.16.10.1",
        "state": "wrong",
        "what": "rk1-03 says established, mikrotik says WAITING; IPv6: rk1-03 says established, mikrotik says WAITING"
      },
      "node": "rk1-03"
    },
    {
      "finding": {
        "cause": "one-sided",
        "look_at": "the log of mikrotik, and whether another device has its address 172.16.10.1",
        "state": "wrong",
        "what": "rk1-04 says established, mikrotik says WAITING; IPv6: rk1-04 says established, mikrotik says WAITING"
      },
      "node": "rk1-04"
    }
  ]
}
"#;

#[test]
fn answers_of_frr_are_parsed() {
    let expected = EXPECTED.replace("UPTIME", "for 00:[..]").replace("WAITING", "active");
    compare("frr", "8.4", ("vtysh", "--vty_socket FOLDER/"), &expected);
}

#[test]
fn answers_of_bird_are_parsed() {
    let expected = EXPECTED.replace(" UPTIME", "").replace("WAITING", "passive");
    compare("bird", "2.0.12", ("birdc", "-s FOLDER/bird.ctl"), &expected);
}
