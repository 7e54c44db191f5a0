//! A real `InfluxDB`, and the rows that it keeps.

use crate::daemon::Daemon;
use crate::lab::Lab;
use crate::line::Value;
use crate::relay::Relay;
use crate::store::{Store, encoded, is_installed};
use crate::{frame, lab, wait_until};

const ADDRESS: &str = "127.0.0.1:8086";

/// `InfluxDB` 1.x with an empty database `packets`.
struct Influx<'lab>(Store<'lab>);

impl<'lab> Influx<'lab> {
    fn start(lab: &'lab Lab) -> Self {
        let influx = Self(Store::start(lab, "influxd", ADDRESS, |command, data| {
            command
                .args(["run", "-config", "/dev/null"])
                .env("INFLUXDB_REPORTING_DISABLED", "true")
                .env("INFLUXDB_BIND_ADDRESS", "127.0.0.1:0")
                .env("INFLUXDB_HTTP_BIND_ADDRESS", ADDRESS)
                .env("INFLUXDB_META_DIR", data.join("meta"))
                .env("INFLUXDB_DATA_DIR", data.join("data"))
                .env("INFLUXDB_DATA_WAL_DIR", data.join("wal"));
        }));
        influx.query("POST", "CREATE DATABASE packets");
        influx
    }

    fn query(&self, method: &str, query: &str) -> serde_json::Value {
        let path = format!("/query?db=packets&epoch=ns&q={}", encoded(query));
        serde_json::from_str(&self.0.ask(method, &path)).unwrap()
    }

    /// Returns the rows of a query, each with its time first.
    fn rows(&self, query: &str) -> Vec<Vec<serde_json::Value>> {
        let answer = self.query("GET", query);
        let values = answer["results"][0]["series"][0]["values"].as_array().cloned().unwrap_or_default();
        values.into_iter().filter_map(|row| row.as_array().cloned()).collect()
    }
}

/// Every row is kept with all its fields, also rows of the same moment.
#[test]
fn influxdb_keeps_every_row() {
    const PACKETS: usize = 300;
    let test = "influxdb_keeps_every_row";
    let Some(lab) = lab(test) else { return };
    if !is_installed(test, "influxd", "influxdb") {
        return;
    }
    let influx = Influx::start(&lab);
    let relay = Relay::start(&lab.node, ADDRESS);
    let url = format!("http://{}/write?db=packets", relay.address);
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
    assert_eq!(daemon.log().matches("delivering rows").count(), 1, "{}", daemon.log());

    let lines = relay.lines();
    for measurement in ["packet_details", "packet_rate", "top_talkers", "streamer"] {
        let sent: Vec<_> = lines.iter().filter(|line| line.measurement == measurement).collect();
        let names: Vec<&str> = sent[0].fields.iter().map(|(name, _)| name.as_str()).collect();
        let query = format!("SELECT \"{}\" FROM {measurement}", names.join("\", \""));
        let mut expected: Vec<Vec<serde_json::Value>> = sent
            .iter()
            .map(|line| {
                let values = line.fields.iter().map(|(_, value)| match value {
                    Value::Integer(number) => (*number).into(),
                    Value::Text(string) => string.as_str().into(),
                });
                std::iter::once(line.time.into()).chain(values).collect()
            })
            .collect();
        expected.sort_by_key(|row| row[0].as_i64());
        assert_eq!(influx.rows(&query), expected, "{measurement}");
    }
}
