//! The command line: what is printed how, and to whom.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};
use snapbox::data::DataFormat;
use snapbox::{Data, assert_data_eq};

use crate::cluster::{PEER_LIST, ROUTES, SESSIONS, compare, with_cluster};
use crate::host::Host;
use crate::server::Service;

/// A node, the router and the gateway say nothing at all: the others are heard all the same.
#[test]
fn every_probe_has_a_time_limit() {
    with_cluster("slow", |mut cluster| {
        cluster.host(0, Host::Silent);
        cluster.router.service = Some(Service::Silence);
        cluster.gateway.service = Some(Service::Silence);
        compare("slow", &cluster.status(&["--timeout=15"]));
    });
}

#[test]
fn only_the_named_nodes_are_checked() {
    with_cluster("some-nodes", |mut cluster| {
        cluster.hosts.remove("root@172.16.10.221");
        cluster.page(PEER_LIST)["items"][1]["status"]["bgpInstances"][0]["peers"][0]["peeringState"] =
            json!("idle");
        compare("some-nodes", &cluster.status(&["rk1-02", "rk1-04"]));
    });
    with_cluster("no-such-node", |cluster| {
        compare("no-such-node", &cluster.status(&["rk1-2"]));
    });
}

/// `--verbose` shows each call, and no secret: neither the password of the router nor the token for Kubernetes.
#[test]
fn calls_are_shown_on_request() {
    with_cluster("verbose", |cluster| {
        let printed = cluster.status(&["--verbose"]);
        for call in [
            "ssh -o BatchMode=yes",
            "GET https://172.16.10.1/rest/",
            "GET https://hubble.virtualthoughts.co.uk/",
            "GET /api/v1/nodes",
        ] {
            assert!(printed.contains(call), "`{call}` is missing:\n{printed}");
        }
        assert!(!printed.contains("never-printed"), "{printed}");
    });
}

#[test]
fn findings_as_json() {
    with_cluster("json", |mut cluster| {
        cluster.hosts.remove("root@172.16.10.222");
        cluster.page(SESSIONS)[0]["established"] = json!("false");
        *cluster.page(ROUTES) = json!([]);
        compare("json", &cluster.status(&["--json"]));
    });
}

#[test]
fn colours_are_used_on_request_only() {
    for (name, variable) in [("coloured", "CLICOLOR_FORCE"), ("NO_COLOR", "NO_COLOR")] {
        with_cluster(name, |cluster| {
            let (mut command, _folder) = cluster.start(&["rk1-01"]);
            let output = command.env_remove("NO_COLOR").env(variable, "1").output().expect("rk1 runs");
            let screen = String::from_utf8(output.stdout).expect("UTF-8");
            assert_eq!(screen.contains("\u{1b}[32mok\u{1b}[0m"), variable == "CLICOLOR_FORCE", "{screen:?}");
        });
    }
}

/// docs/status.svg is what the terminal shows of a cluster with a node that is off.
#[test]
fn the_picture_in_the_docs_is_a_real_run() {
    with_cluster("picture", |mut cluster| {
        cluster.hosts.remove("root@172.16.10.222");
        let (mut command, _folder) = cluster.start(&["--color", "always"]);
        let output = command.env_remove("NO_COLOR").output().expect("rk1 runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let screen = format!("$ rk1 status\n{}{}", text(output.stdout), text(output.stderr));
        let picture = Data::text(screen).coerce_to(DataFormat::TermSvg);
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/status.svg");
        assert_data_eq!(picture, Data::read_from(path.as_ref(), Some(DataFormat::TermSvg)).raw());
    });
}

#[test]
fn watching_shows_one_screen_after_the_other() {
    with_cluster("watch", |cluster| {
        let (mut command, folder) = cluster.start(&["--watch=1s", "rk1-01"]);
        let mut watching = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("rk1 runs");
        let mut lines = BufReader::new(watching.stdout.take().expect("output")).lines();
        let mut screen = String::new();
        let mut read_to = |word: &str| {
            screen.clear();
            for line in lines.by_ref() {
                let line = line.expect("a line");
                screen.extend([line.as_str(), "\n"]);
                if line.starts_with(word) {
                    break;
                }
            }
            screen.clone()
        };
        let well = read_to("all checks passed");
        // In one step: a script that runs sees nothing of it.
        let (words, host) = (folder.path().join("words"), folder.path().join("hosts/root@172.16.10.221"));
        fs::write(&words, "ssh: connect to host 172.16.10.221 port 22: No route to host\n").expect("words");
        fs::rename(words, host.join("refuses")).expect("a host");
        let spoilt = read_to("1 failed");
        watching.kill().expect("rk1 ends");
        watching.wait().expect("rk1 has ended");
        // Between the two there may have been more that were well.
        let last = spoilt.rfind("NODE ").and_then(|start| spoilt.get(start..)).expect("a screen");
        compare("watch", &format!("{well}--- then\n{last}"));
    });
}

#[test]
fn watching_as_json_prints_a_line_for_each_round() {
    with_cluster("watch as JSON", |cluster| {
        let (mut command, _folder) = cluster.start(&["--watch=1s", "--json", "rk1-01"]);
        let mut watching = command.stdout(Stdio::piped()).spawn().expect("rk1 runs");
        let lines = BufReader::new(watching.stdout.take().expect("output")).lines();
        for line in lines.take(2) {
            let found: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
            assert_eq!((&found["verdict"], &found["nodes"][0]["name"]), (&json!("good"), &json!("rk1-01")));
        }
        watching.kill().expect("rk1 ends");
        watching.wait().expect("rk1 has ended");
    });
}
