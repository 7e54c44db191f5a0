//! Rows while the sink is in trouble.

use crate::daemon::{Daemon, command};
use crate::frame;
use crate::grafana::{Grafana, Mood};
use crate::lab::{Lab, WATCHED};
use crate::rows::integer;
use crate::{lab, wait_until, wait_within};
use std::net::Ipv4Addr;
use std::time::Duration;

const TOKEN: &str = "glsa_canary_Zk3";

fn healthy() -> Mood {
    Mood::Healthy { token: TOKEN.into() }
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
    assert!(daemon.log().contains("a row was refused alone; refused rows are dropped"), "{}", daemon.log());
}

/// A server that accepts only small pushes gets every row, and no large push again.
#[test]
fn a_server_with_a_low_limit_gets_small_pushes() {
    let Some(lab) = lab("a_server_with_a_low_limit_gets_small_pushes") else { return };
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
    assert!(log.contains("delivering rows") && !log.contains("dropped"), "{log}");
}

/// A server that accepts some rows and then none is tried again soon: each success resets the wait.
#[test]
fn a_success_resets_the_wait() {
    let Some(lab) = lab("a_success_resets_the_wait") else { return };
    let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, Mood::Busy(16 << 10));
    let token = crate::rows::token_file();
    let _daemon = start(&lab, &grafana, &token, &["--talkers", "0", "--budget", "5000"]);
    lab.send(&(1000..1300).map(frame::datagram).collect::<Vec<_>>());
    wait_until("all rows arrive", || (1000..1300).all(|port| details(&grafana, port) == 1));
}

/// The log has the reason of the refusal, and does not claim a delivery.
#[test]
fn rows_that_are_all_refused_are_not_called_delivered() {
    let Some(lab) = lab("rows_that_are_all_refused_are_not_called_delivered") else { return };
    let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, Mood::Failing(400));
    let url = format!("{}/write", grafana.url());
    let mut daemon = Daemon::start(&lab, &["--url", &url]);
    lab.send(&[frame::datagram(1)]);
    wait_until("it is logged", || daemon.log().contains("400 Bad Request"));
    assert!(daemon.terminate().0.success());
    let log = daemon.log();
    assert!(
        log.contains("no row was delivered: the sink refuses the rows") && !log.contains("delivering"),
        "{log}"
    );
}

#[test]
fn a_replaced_token_is_used_and_no_token_is_ever_shown() {
    let Some(lab) = lab("a_replaced_token_is_used_and_no_token_is_ever_shown") else { return };
    let grafana =
        Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, Mood::Healthy { token: "glsa_canary_second".into() });
    let token = crate::rows::token_file();
    let mut daemon = start(&lab, &grafana, &token, &[]);
    lab.send(&[frame::datagram(1)]);
    wait_until("the token is refused", || daemon.log().contains("401"));
    std::fs::write(token.path(), "glsa_canary_second\n").unwrap();
    wait_until("the row arrives", || details(&grafana, 1) == 1);
    let command_line = std::fs::read_to_string(format!("/proc/{}/cmdline", daemon.id())).unwrap();
    assert!(daemon.terminate().0.success());
    let told = format!("{}{}{command_line}", daemon.log(), daemon.output());
    assert!(!told.contains("canary"), "{told}");
    assert!(daemon.log().contains("delivering rows again"), "{}", daemon.log());
}

#[test]
fn a_token_of_the_environment_is_not_shown_either() {
    let Some(lab) = lab("a_token_of_the_environment_is_not_shown_either") else { return };
    let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, healthy());
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

/// Each kind of trouble is logged once and costs no row.
#[test]
fn rows_survive_trouble_of_the_server() {
    let Some(lab) = lab("rows_survive_trouble_of_the_server") else { return };
    for (port, status) in [(1, 500), (2, 403), (3, 503), (4, 429)] {
        let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, Mood::Failing(status));
        let token = crate::rows::token_file();
        let mut daemon = start(&lab, &grafana, &token, &[]);
        lab.send(&[frame::datagram(port)]);
        wait_until("pushes fail", || grafana.requests() >= 4);
        grafana.set_mood(healthy());
        wait_until("the row arrives", || details(&grafana, port) == 1);
        assert!(daemon.terminate().0.success());
        let log = daemon.log();
        assert_eq!(log.matches(&format!("{status} ")).count(), 1, "{log}");
        assert_eq!(log.matches("delivering rows again").count(), 1, "{log}");
        assert_eq!(grafana.refusals(), Vec::<String>::new());
    }
}

#[test]
fn an_unreachable_server_and_an_unknown_name_are_waited_for() {
    let Some(lab) = lab("an_unreachable_server_and_an_unknown_name_are_waited_for") else { return };
    let token = crate::rows::token_file();
    let path = token.path().to_str().unwrap();
    for url in ["http://127.0.0.1:9", "https://grafana.invalid"] {
        let mut daemon = Daemon::start(&lab, &["--url", url, "--token-file", path]);
        lab.send(&[frame::datagram(1)]);
        wait_until("it is logged", || daemon.log().contains("rows wait"));
        let (status, time) = daemon.terminate();
        assert!(
            status.success() && time < Duration::from_secs(2),
            "{url}: {status} after {time:?}\n{}",
            daemon.log()
        );
        assert_eq!(daemon.log().matches("rows wait").count(), 1, "{}", daemon.log());
    }
}

/// A server that never answers delays neither the reader nor the end, and the buffer keeps its bound.
#[test]
fn a_silent_server_costs_old_rows_only() {
    let Some(lab) = lab("a_silent_server_costs_old_rows_only") else { return };
    let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, Mood::Silent);
    let token = crate::rows::token_file();
    let metrics = "127.0.0.1:9469";
    let mut daemon =
        start(&lab, &grafana, &token, &["--buffer", "64KiB", "--budget", "1000", "--metrics", metrics]);
    // Half of the budget: a batch that comes late is not sampled.
    for _ in 0..20 {
        lab.send(&vec![frame::datagram(7); 50]);
        std::thread::sleep(Duration::from_millis(100));
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
fn plain_http_to_a_public_address_is_refused() {
    let Some(lab) = lab("plain_http_to_a_public_address_is_refused") else { return };
    let token = crate::rows::token_file();
    let path = token.path().to_str().unwrap();
    let output = command(&lab, &["run", "-i", WATCHED, "--url", "http://198.51.100.1", "--token-file", path])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("hint: use https, or add --allow-plain-http"), "{message}");
}

/// Sends a GET over a plain connection, and returns the answer.
fn get(address: &str, path: &str) -> String {
    crate::store::request(address, "GET", path)
}

#[track_caller]
fn metric(text: &str, name: &str) -> u64 {
    let line = text.lines().find(|line| line.starts_with(&format!("xdp_streamer_{name}{{")));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).rsplit_once(' ').unwrap().1.parse().unwrap()
}

fn details_on(daemon: &Daemon) -> usize {
    daemon.output().lines().filter(|line| line.starts_with("packet_details ")).count()
}

/// The buffer is smaller than the rows of one interval, and of one look at the ring after silence: no row is dropped as
/// long as the sink reads them.
#[test]
fn a_small_buffer_loses_no_row_of_a_sink_that_reads() {
    let Some(lab) = lab("a_small_buffer_loses_no_row_of_a_sink_that_reads") else { return };
    for interval in ["200ms", "5s"] {
        let mut daemon = Daemon::spawn(command(
            &lab,
            &[
                "run",
                "-i",
                WATCHED,
                "--format",
                "line",
                "--interval",
                interval,
                "--buffer",
                "64KiB",
                "--budget",
                "1000",
            ],
        ));
        let mut sent = 0;
        std::thread::sleep(Duration::from_millis(1500));
        for _ in 0..8 {
            lab.send(&vec![frame::datagram(7); 100]);
            sent += 100;
            std::thread::sleep(Duration::from_millis(250));
        }
        assert!(daemon.terminate().0.success());
        assert!(daemon.log().contains(&format!("{sent} packets seen, {sent} shown")), "{}", daemon.log());
        assert_eq!(details_on(&daemon), sent, "{interval}: {}", daemon.log());
    }
}

/// More rows than one push takes, at a budget that no panel could show: all of them arrive, in pushes of bounded size.
#[test]
fn a_large_budget_delivers_every_row_in_bounded_pushes() {
    let Some(lab) = lab("a_large_budget_delivers_every_row_in_bounded_pushes") else { return };
    let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, Mood::Small(1 << 20));
    let token = crate::rows::token_file();
    let mut daemon = start(&lab, &grafana, &token, &["--talkers", "0", "--budget", "1000000"]);
    let frames = vec![frame::datagram(7); 500];
    for _ in 0..40 {
        lab.send(&frames);
        std::thread::sleep(Duration::from_millis(10));
    }
    wait_until("all rows arrive", || details(&grafana, 7) == 20_000);
    assert!(daemon.terminate().0.success());
    let log = daemon.log();
    assert!(!log.contains("413") && !log.contains("dropped"), "{log}");
}

/// The newest rows stay in a full buffer, and the log says when dropping begins and how many rows it cost.
#[test]
fn dropped_rows_are_the_oldest_and_are_logged() {
    let Some(lab) = lab("dropped_rows_are_the_oldest_and_are_logged") else { return };
    let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, Mood::Failing(503));
    let token = crate::rows::token_file();
    let mut daemon =
        start(&lab, &grafana, &token, &["--talkers", "0", "--buffer", "64KiB", "--budget", "1000"]);
    for port in 1000..1400 {
        lab.send(&[frame::datagram(port)]);
        std::thread::sleep(Duration::from_millis(2));
    }
    wait_until("dropping is logged", || daemon.log().contains("`end0`: the buffer is full"));
    grafana.set_mood(healthy());
    // The pause after a failure grows to 30 seconds, and depends on how long the rows took.
    wait_within(Duration::from_secs(45), "the newest row arrives", || details(&grafana, 1399) == 1);
    assert_eq!(details(&grafana, 1000), 0);
    assert!(daemon.terminate().0.success());
    let log = daemon.log();
    assert!(log.contains("rows were dropped because the buffer was full"), "{log}");
    assert_eq!(log.matches("`end0`: the buffer is full").count(), 1, "{log}");
}

/// A run that was asked for rows and delivered none has exit code 1.
#[test]
fn a_run_that_delivers_nothing_fails() {
    let Some(lab) = lab("a_run_that_delivers_nothing_fails") else { return };
    let token = crate::rows::token_file();
    let path = token.path().to_str().unwrap();
    let url = "http://127.0.0.1:1";
    let output = command(&lab, &["run", "-i", WATCHED, "--once", "--url", url, "--token-file", path])
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.ends_with("xdp-streamer: no row was delivered: the sink is unavailable\n"), "{message}");

    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = command(&lab, &["run", "-i", WATCHED, "--duration", "1s"]).stdout(full).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("No space left on device"), "{message}");
}

#[test]
fn retry_after_is_obeyed() {
    let Some(lab) = lab("retry_after_is_obeyed") else { return };
    let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, Mood::Later(4));
    let token = crate::rows::token_file();
    let mut daemon = start(&lab, &grafana, &token, &[]);
    wait_until("a push is refused", || grafana.requests() == 1);
    std::thread::sleep(Duration::from_millis(3500));
    assert_eq!(grafana.requests(), 1, "{}", daemon.log());
    grafana.set_mood(healthy());
    wait_until("rows arrive", || !grafana.rows("packet_rate").is_empty());
    assert!(daemon.terminate().0.success());
}

#[test]
fn a_login_page_is_not_a_delivery() {
    let Some(lab) = lab("a_login_page_is_not_a_delivery") else { return };
    let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, Mood::LoginPage);
    let token = crate::rows::token_file();
    let mut daemon = start(&lab, &grafana, &token, &["--once"]);
    let log = || daemon.log();
    wait_until("it is logged", || log().contains("200 OK, but with a web page"));
    assert_eq!(daemon.ended().code(), Some(1));
    assert!(!daemon.log().contains("delivering rows"), "{}", daemon.log());
}

#[test]
fn an_error_shows_its_cause_once() {
    let Some(lab) = lab("an_error_shows_its_cause_once") else { return };
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent");
    let path = absent.to_str().unwrap();
    let url = "http://127.0.0.1:1";
    for arguments in [
        &["run", "-i", WATCHED, "--url", url, "--token-file", path][..],
        &["run", "-i", WATCHED, "--config", path],
        &["run", "-i", WATCHED, "--addresses", "hash", "--hash-key-file", path],
    ] {
        let message = String::from_utf8(command(&lab, arguments).output().unwrap().stderr).unwrap();
        assert_eq!(message.matches("No such file or directory").count(), 1, "{message}");
    }
}

/// Idle clients do not block others, and HEAD is answered like GET without its body.
#[test]
fn the_metrics_server_answers_beside_idle_clients() {
    let Some(lab) = lab("the_metrics_server_answers_beside_idle_clients") else { return };
    let address = "127.0.0.1:9469";
    let _daemon = Daemon::start(&lab, &["--sink", "stdout", "--metrics", address]);
    crate::lab::in_namespace(&lab.node, || {
        let _idle: Vec<_> = (0..20).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
        let start = std::time::Instant::now();
        let page = get(address, "/metrics");
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        assert!(
            page.contains("process_start_time_seconds 1") || page.contains("process_start_time_seconds 2"),
            "{page}"
        );
        let head = crate::store::request(address, "HEAD", "/metrics");
        assert!(head.starts_with("HTTP/1.0 200") && head.ends_with("\r\n\r\n"), "{head}");
        assert!(crate::store::request(address, "POST", "/metrics").starts_with("HTTP/1.0 405"));
    });
}
