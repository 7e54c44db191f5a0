//! A real `InfluxDB`: what it keeps of what is pushed.

use crate::daemon::Daemon;
use crate::frame;
use crate::lab::{Lab, in_namespace};
use crate::{lab, requirement, wait_until};
use std::fmt::Write as _;
use std::process::{Child, Command, Stdio};

const ADDRESS: &str = "127.0.0.1:8086";

/// `InfluxDB` 1.x inside the node's namespace; stopped when it is dropped.
struct Influx<'lab> {
    lab: &'lab Lab,
    server: Child,
    _data: tempfile::TempDir,
}

impl<'lab> Influx<'lab> {
    /// A server with an empty database `packets`.
    fn start(lab: &'lab Lab) -> Self {
        let data = tempfile::tempdir().unwrap();
        let server = Command::new("ip")
            .args(["netns", "exec", &lab.node, "influxd", "run", "-config", "/dev/null"])
            .env("INFLUXDB_REPORTING_DISABLED", "true")
            .env("INFLUXDB_BIND_ADDRESS", "127.0.0.1:0")
            .env("INFLUXDB_HTTP_BIND_ADDRESS", ADDRESS)
            .env("INFLUXDB_META_DIR", data.path().join("meta"))
            .env("INFLUXDB_DATA_DIR", data.path().join("data"))
            .env("INFLUXDB_DATA_WAL_DIR", data.path().join("wal"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let influx = Self { lab, server, _data: data };
        wait_until("InfluxDB answers", || {
            in_namespace(&lab.node, || std::net::TcpStream::connect(ADDRESS).is_ok())
        });
        influx.query("POST", "CREATE DATABASE packets");
        influx
    }

    fn query(&self, method: &str, query: &str) -> serde_json::Value {
        let mut encoded = String::new();
        for byte in query.bytes() {
            write!(encoded, "%{byte:02X}").unwrap();
        }
        let answer = in_namespace(&self.lab.node, || {
            crate::delivery::request(ADDRESS, method, &format!("/query?db=packets&q={encoded}"))
        });
        let body = &answer[answer.find('{').unwrap()..=answer.rfind('}').unwrap()];
        serde_json::from_str(body).unwrap()
    }

    /// The rows of a query, each with its time first.
    fn rows(&self, query: &str) -> Vec<Vec<serde_json::Value>> {
        let answer = self.query("GET", query);
        let values = answer["results"][0]["series"][0]["values"].as_array().cloned().unwrap_or_default();
        values.into_iter().filter_map(|row| row.as_array().cloned()).collect()
    }
}

impl Drop for Influx<'_> {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Every row is kept, those of one moment too, with the fields as they were.
#[test]
fn influxdb_keeps_every_row() {
    const PACKETS: usize = 300;
    let test = "influxdb_keeps_every_row";
    let Some(lab) = lab(test) else { return };
    if Command::new("influxd").arg("version").output().is_err() {
        return requirement::skipped(test, "`influxd` is not installed (Debian: influxdb)");
    }
    let influx = Influx::start(&lab);
    let url = format!("http://{ADDRESS}/write?db=packets");
    let mut daemon = Daemon::start(&lab, &["--url", &url]);
    lab.send(&[frame::ssdp()]);
    lab.send(&vec![frame::datagram(9); PACKETS]);
    let count = || {
        let rows = influx.rows("SELECT COUNT(length) FROM packet_details");
        rows.first().map_or(0, |row| row[1].as_u64().unwrap())
    };
    wait_until("every row is there", || count() == PACKETS as u64 + 1);
    wait_until("a second's totals are there", || {
        influx
            .rows("SELECT SUM(packets) FROM packet_rate")
            .first()
            .is_some_and(|row| row[1] == PACKETS as u64 + 1)
    });
    assert!(daemon.terminate().0.success());
    assert_eq!(daemon.log().matches("rows arrive").count(), 1, "{}", daemon.log());

    let posts = "SELECT source_mac, destination_mac, source_ip, destination_ip, protocol, length, ttl, version, \
                 source_port, destination_port FROM packet_details WHERE destination_port = 1900";
    let rows = influx.rows(posts);
    let expected = serde_json::json!([
        "00:11:32:e5:79:5c",
        "01:00:5e:7f:ff:fa",
        "172.16.10.208",
        "239.255.255.250",
        "UDP",
        129,
        1,
        4,
        50085,
        1900
    ]);
    assert_eq!(rows.iter().map(|row| serde_json::json!(row[1..])).collect::<Vec<_>>(), [expected]);
    assert!(!influx.rows("SELECT * FROM top_talkers").is_empty());
    assert!(!influx.rows("SELECT * FROM streamer").is_empty());
}
