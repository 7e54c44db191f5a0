//! Rows of real packets.

use crate::daemon::Daemon;
use crate::frame;
use crate::grafana::{Grafana, Mood};
use crate::{lab, wait_until};
use snapbox::{assert_data_eq, file};
use std::net::Ipv4Addr;

const TOKEN: &str = "glsa_canary_Zk3";

fn healthy() -> Mood {
    Mood::Healthy { token: TOKEN.into() }
}

/// The packet of the original posts gives their line, followed by newer fields.
#[test]
fn the_packet_of_the_posts_gives_their_line() {
    let Some(lab) = lab("the_packet_of_the_posts_gives_their_line") else { return };
    let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, healthy());
    let token = token_file();
    let _daemon =
        Daemon::start(&lab, &["--url", &grafana.url(), "--token-file", token.path().to_str().unwrap()]);
    lab.send(&[frame::ssdp()]);
    wait_until("the row arrives", || grafana.rows("packet_details").len() == 1);
    let line = grafana.rows("packet_details").remove(0);
    let posts = "packet_details source_mac=\"00:11:32:e5:79:5c\",destination_mac=\"01:00:5e:7f:ff:fa\",\
                 source_ip=\"172.16.10.208\",destination_ip=\"239.255.255.250\",protocol=\"UDP\",length=129i,ttl=1i,\
                 version=4i,source_port=50085i,destination_port=1900i";
    assert_eq!(line.strip_prefix(posts).map(|rest| rest.starts_with(',')), Some(true), "{line}");
    assert_data_eq!(
        line.strip_prefix(posts).unwrap().to_owned() + "\n",
        file!["snapshots/posts_row.txt"].raw()
    );
    assert_eq!(grafana.paths()[0], "/api/live/push/rk1-01-end0");
}

/// One packet of each kind gives its row, and the totals count it.
#[test]
fn every_kind_of_packet_has_its_row() {
    let Some(lab) = lab("every_kind_of_packet_has_its_row") else { return };
    let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, healthy());
    let token = token_file();
    let mut daemon =
        Daemon::start(&lab, &["--url", &grafana.url(), "--token-file", token.path().to_str().unwrap()]);
    let frames = frame::kinds();
    lab.send(&frames);
    wait_until("all rows arrive", || grafana.rows("packet_details").len() == frames.len());
    assert!(daemon.terminate().0.success());
    assert_eq!(grafana.refusals(), Vec::<String>::new());
    assert_data_eq!(
        grafana.rows("packet_details").join("\n") + "\n",
        file!["snapshots/rows_of_every_kind.txt"].raw()
    );

    let rates = grafana.rows("packet_rate");
    let total = |field: &str| -> i64 { rates.iter().map(|line| integer(line, field)).sum() };
    let counted = [
        "packets",
        "shown",
        "sampled_out",
        "lost",
        "self_packets",
        "arp",
        "icmp",
        "tcp_ipv4",
        "udp_ipv4",
        "icmpv6",
        "tcp_ipv6",
        "udp_ipv6",
        "malformed",
        "broadcast",
    ];
    let counted: Vec<String> = counted.iter().map(|field| format!("{field} {}", total(field))).collect();
    assert_data_eq!(counted.join("\n") + "\n", file!["snapshots/totals_of_every_kind.txt"].raw());
    assert!(!grafana.rows("streamer").is_empty());
    let talkers = grafana.rows("top_talkers");
    assert!(
        talkers
            .iter()
            .any(|line| line.contains("source_ip=\"192.0.2.1\"") && line.contains("destination_port=22i")),
        "{talkers:?}"
    );
}

/// More packets than the budget, after a silence in which the ring is rarely looked at: they are sampled, no row is lost,
/// each row has the ratio, and every packet is counted.
#[test]
fn a_flood_is_sampled_and_counted_to_the_packet() {
    const SENT: i64 = 60_000;
    let Some(lab) = lab("a_flood_is_sampled_and_counted_to_the_packet") else { return };
    let mut daemon = Daemon::start(&lab, &["--sink", "stdout", "--format", "line", "--budget", "50"]);
    let batch = vec![frame::datagram(9); 1000];
    std::thread::sleep(std::time::Duration::from_millis(1500));
    for _ in 0..SENT / 1000 {
        lab.send(&batch);
    }
    assert!(daemon.terminate().0.success());
    let output = daemon.output();
    let total = |field: &str| -> i64 {
        output.lines().filter(|line| line.starts_with("packet_rate ")).map(|line| integer(line, field)).sum()
    };
    assert_eq!(total("packets"), SENT);
    assert_eq!(total("shown") + total("sampled_out") + total("self_packets"), SENT);
    assert_eq!(total("lost"), 0);
    let shown: Vec<&str> = output.lines().filter(|line| line.starts_with("packet_details ")).collect();
    assert_eq!(i64::try_from(shown.len()), Ok(total("shown")));
    let ratios: Vec<i64> = shown.iter().map(|line| integer(line, "sampling")).collect();
    assert!(ratios.iter().any(|ratio| *ratio > 1), "nothing was sampled");
}

/// Our own pushes pass the watched interface: they are counted, never shown, and cause no further push.
#[test]
fn our_own_traffic_is_not_shown() {
    let Some(lab) = lab("our_own_traffic_is_not_shown") else { return };
    let grafana = Grafana::start(&lab.network, crate::lab::NETWORK, healthy());
    let token = token_file();
    let mut daemon =
        Daemon::start(&lab, &["--url", &grafana.url(), "--token-file", token.path().to_str().unwrap()]);
    lab.send(&[frame::ssdp()]);
    wait_until("some seconds are reported", || grafana.rows("packet_rate").len() >= 4);
    let requests = grafana.requests();
    assert!(daemon.terminate().0.success());
    let port = format!("_port={}i", grafana.address.port());
    let shown: Vec<String> =
        grafana.rows("packet_details").into_iter().filter(|line| line.contains(&port)).collect();
    assert_eq!(shown, Vec::<String>::new());
    let own: i64 = grafana.rows("packet_rate").iter().map(|line| integer(line, "self_packets")).sum();
    assert!(own > 5, "{own} packets of our own");
    assert!(requests <= 8, "{requests} pushes in four quiet seconds");
}

/// Truncated addresses, no ports, vendor only.
#[test]
fn privacy_holds_in_every_row() {
    let Some(lab) = lab("privacy_holds_in_every_row") else { return };
    let mut daemon = Daemon::start(
        &lab,
        &["--sink", "stdout", "--format", "line", "--addresses", "truncate", "--no-ports", "--mac", "vendor"],
    );
    lab.send(&[frame::datagram(4242), frame::datagram(4243)]);
    wait_until("talkers are reported", || daemon.output().contains("top_talkers "));
    assert!(daemon.terminate().0.success());
    let output = daemon.output();
    for hidden in ["192.0.2.77", "10.99.0.1", "port=4", "e5:79:5c"] {
        assert!(!output.contains(hidden), "{hidden} is shown:\n{output}");
    }
    // Two flows that look the same are one.
    let talkers = output.lines().filter(|line| line.starts_with("top_talkers ")).count();
    assert!(
        output.contains("source_mac=\"00:11:32:00:00:00\"") && output.contains("source_ip=\"192.0.2.0\"")
    );
    assert_eq!(talkers, 1);
}

pub(crate) fn token_file() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), TOKEN).unwrap();
    file
}

/// Returns the value of an integer field.
#[track_caller]
pub(crate) fn integer(line: &str, field: &str) -> i64 {
    let name = format!("{field}=");
    let start =
        line.match_indices(&name).map(|(at, _)| at).find(|at| [" ", ","].contains(&&line[at - 1..*at]));
    let value = &line[start.unwrap_or_else(|| panic!("no {field} in {line}")) + name.len()..];
    value[..value.find('i').unwrap()].parse().unwrap()
}
