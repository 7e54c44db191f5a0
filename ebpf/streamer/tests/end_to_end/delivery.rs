//! What becomes of rows when the other end is not well.

use crate::daemon::{Daemon, command};
use crate::frame;
use crate::grafana::{Grafana, Mood};
use crate::lab::{Lab, WATCHED};
use crate::rows::integer;
use crate::{lab, wait_until};
use std::net::Ipv4Addr;
use std::time::Duration;

const TOKEN: &str = "glsa_canary_Zk3";

fn well() -> Mood {
    Mood::Well { token: TOKEN.into() }
}

fn start(lab: &Lab, grafana: &Grafana, token: &tempfile::NamedTempFile, more: &[&str]) -> Daemon {
    let url = grafana.url();
    let all = [&["--url", &url, "--token-file", token.path().to_str().unwrap()][..], more].concat();
    Daemon::start(lab, &all)
}

fn details(grafana: &Grafana, port: u16) -> usize {
    let port = format!("destination_port={port}i");
    grafana.rows("packet_details").iter().filter(|line| line.contains(&port)).count()
}

#[test]
fn one_bad_line_costs_one_line() {
    let Some(lab) = lab("one_bad_line_costs_one_line") else { return };
    let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, Mood::Picky("destination_port=666i".into()));
    let token = crate::rows::token_file();
    let daemon = start(&lab, &grafana, &token, &["--talkers", "0"]);
    let mut frames: Vec<Vec<u8>> = (1000..1100).map(frame::datagram).collect();
    frames.insert(37, frame::datagram(666));
    lab.send(&frames);
    wait_until("all good rows arrive", || (1000..1100).all(|port| details(&grafana, port) == 1));
    wait_until("the bad one is counted", || {
        grafana.rows("streamer").last().is_some_and(|line| integer(line, "rows_refused") == 1)
    });
    assert_eq!(details(&grafana, 666), 0);
    assert!(daemon.log().contains("1 rows dropped, the others delivered"), "{}", daemon.log());
}

/// However little a server takes at once, it gets every row, and is not asked for more again.
#[test]
fn a_server_that_takes_little_gets_little() {
    let Some(lab) = lab("a_server_that_takes_little_gets_little") else { return };
    let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, Mood::Small(4096));
    let token = crate::rows::token_file();
    let mut daemon = start(&lab, &grafana, &token, &["--talkers", "0", "--budget", "5000"]);
    for round in 1..=2 {
        lab.send(&(1000..1300).map(frame::datagram).collect::<Vec<_>>());
        wait_until("all rows arrive", || (1000..1300).all(|port| details(&grafana, port) == round));
    }
    assert!(daemon.terminate().0.success());
    let log = daemon.log();
    assert_eq!(log.matches("413 Payload Too Large").count(), 1, "{log}");
    assert!(log.contains("rows arrive") && !log.contains("dropped,"), "{log}");
}

/// A server that takes some rows and then none is asked again soon, not ever more seldom.
#[test]
fn progress_shortens_the_wait() {
    let Some(lab) = lab("progress_shortens_the_wait") else { return };
    let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, Mood::Busy(16 << 10));
    let token = crate::rows::token_file();
    let _daemon = start(&lab, &grafana, &token, &["--talkers", "0", "--budget", "5000"]);
    lab.send(&(1000..1300).map(frame::datagram).collect::<Vec<_>>());
    wait_until("all rows arrive", || (1000..1300).all(|port| details(&grafana, port) == 1));
}

/// Why every row is refused is said, and no row is said to have arrived.
#[test]
fn rows_that_are_all_refused_are_not_called_delivered() {
    let Some(lab) = lab("rows_that_are_all_refused_are_not_called_delivered") else { return };
    let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, Mood::Ill(400));
    let url = format!("{}/write", grafana.url());
    let mut daemon = Daemon::start(&lab, &["--url", &url]);
    lab.send(&[frame::datagram(1)]);
    wait_until("it is said", || daemon.log().contains("400 Bad Request"));
    assert!(daemon.terminate().0.success());
    let log = daemon.log();
    assert!(log.contains("rows dropped") && !log.contains("delivered"), "{log}");
}

#[test]
fn a_rotated_token_is_taken_up_and_no_token_is_ever_told() {
    let Some(lab) = lab("a_rotated_token_is_taken_up_and_no_token_is_ever_told") else { return };
    let grafana =
        Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, Mood::Well { token: "glsa_canary_second".into() });
    let token = crate::rows::token_file();
    let mut daemon = start(&lab, &grafana, &token, &[]);
    lab.send(&[frame::datagram(1)]);
    wait_until("the token is refused", || daemon.log().contains("401"));
    std::fs::write(token.path(), "glsa_canary_second\n").unwrap();
    wait_until("the row arrives after all", || details(&grafana, 1) == 1);
    let command_line = std::fs::read_to_string(format!("/proc/{}/cmdline", daemon.id())).unwrap();
    assert!(daemon.terminate().0.success());
    let told = format!("{}{}{command_line}", daemon.log(), daemon.output());
    assert!(!told.contains("canary"), "{told}");
    assert!(daemon.log().contains("rows arrive again"), "{}", daemon.log());
}

#[test]
fn a_token_in_the_environment_is_not_told_either() {
    let Some(lab) = lab("a_token_in_the_environment_is_not_told_either") else { return };
    let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, well());
    let mut command = command(&lab, &["run"]);
    command.env("GRAFANA_URL", format!("{}/api/live/push/ebpf-test", grafana.url()));
    command.env("GRAFANA_TOKEN", TOKEN).env("INTERFACE_NAME", WATCHED).env("RUST_LOG", "trace");
    let mut daemon = Daemon::spawn(command);
    lab.send(&[frame::datagram(1)]);
    wait_until("the row arrives", || details(&grafana, 1) == 1);
    assert_eq!(grafana.paths()[0], "/api/live/push/ebpf-test");
    assert!(daemon.terminate().0.success());
    assert!(!daemon.log().contains("canary"), "{}", daemon.log());
}

/// Each kind of trouble is said once, costs no row, and ends.
#[test]
fn rows_outlast_trouble() {
    let Some(lab) = lab("rows_outlast_trouble") else { return };
    for (port, status) in [(1, 500), (2, 403), (3, 503), (4, 429)] {
        let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, Mood::Ill(status));
        let token = crate::rows::token_file();
        let mut daemon = start(&lab, &grafana, &token, &[]);
        lab.send(&[frame::datagram(port)]);
        wait_until("pushes fail", || grafana.requests() >= 4);
        grafana.set_mood(well());
        wait_until("the row arrives after all", || details(&grafana, port) == 1);
        assert!(daemon.terminate().0.success());
        let log = daemon.log();
        assert_eq!(log.matches(&format!("{status} ")).count(), 1, "{log}");
        assert_eq!(log.matches("rows arrive again").count(), 1, "{log}");
        assert_eq!(grafana.refusals(), Vec::<String>::new());
    }
}

#[test]
fn nobody_there_and_no_such_name_are_borne() {
    let Some(lab) = lab("nobody_there_and_no_such_name_are_borne") else { return };
    let token = crate::rows::token_file();
    let path = token.path().to_str().unwrap();
    for url in ["http://127.0.0.1:9", "https://grafana.invalid"] {
        let mut daemon = Daemon::start(&lab, &["--url", url, "--token-file", path]);
        lab.send(&[frame::datagram(1)]);
        wait_until("it is said", || daemon.log().contains("rows wait"));
        let (status, time) = daemon.terminate();
        assert!(
            status.success() && time < Duration::from_secs(2),
            "{url}: {status} after {time:?}\n{}",
            daemon.log()
        );
        assert_eq!(daemon.log().matches("rows wait").count(), 1, "{}", daemon.log());
    }
}

/// A server that never answers holds neither the reader nor the end, and the buffer keeps its bound.
#[test]
fn a_silent_server_costs_old_rows_only() {
    let Some(lab) = lab("a_silent_server_costs_old_rows_only") else { return };
    let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, Mood::Silent);
    let token = crate::rows::token_file();
    let metrics = "127.0.0.1:9469";
    let mut daemon =
        start(&lab, &grafana, &token, &["--buffer", "64KiB", "--budget", "100000", "--metrics", metrics]);
    for _ in 0..20 {
        lab.send(&vec![frame::datagram(7); 50]);
        std::thread::sleep(Duration::from_millis(50));
    }
    let scrape = || crate::lab::in_namespace(&lab.node, || get(metrics, "/metrics"));
    wait_until("rows are dropped and counted", || metric(&scrape(), "rows_dropped_total") > 0);
    wait_until("all packets are reported", || metric(&scrape(), "shown_total") == 1000);
    let text = scrape();
    assert!(metric(&text, "buffer_bytes") <= 64 << 10, "{text}");
    assert!(crate::lab::in_namespace(&lab.node, || get(metrics, "/")).starts_with("HTTP/1.0 404"));
    let (status, time) = daemon.terminate();
    assert!(status.success() && time < Duration::from_secs(2), "{status} after {time:?}");
    assert!(daemon.log().contains("1000 packets seen, 1000 shown"), "{}", daemon.log());
}

#[test]
fn plain_http_stays_at_home_and_says_so() {
    let Some(lab) = lab("plain_http_stays_at_home_and_says_so") else { return };
    let token = crate::rows::token_file();
    let path = token.path().to_str().unwrap();
    let output = command(&lab, &["run", "-i", WATCHED, "--url", "http://198.51.100.1", "--token-file", path])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("hint: use https, or say --allow-plain-http"), "{message}");
}

/// One GET over a plain connection.
fn get(address: &str, path: &str) -> String {
    crate::store::request(address, "GET", path)
}

#[track_caller]
fn metric(text: &str, name: &str) -> u64 {
    let line = text.lines().find(|line| line.starts_with(&format!("xdp_streamer_{name}{{")));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).rsplit_once(' ').unwrap().1.parse().unwrap()
}
