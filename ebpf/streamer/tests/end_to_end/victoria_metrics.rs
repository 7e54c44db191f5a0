//! A real `VictoriaMetrics`, and the numbers that it keeps.

use crate::daemon::Daemon;
use crate::lab::Lab;
use crate::line::{Line, Value};
use crate::relay::Relay;
use crate::store::{Store, encoded, is_installed};
use crate::{frame, lab, wait_until};
use std::collections::BTreeMap;

const ADDRESS: &str = "127.0.0.1:8428";

/// For each name, the times in milliseconds and their values, in order.
type Series = BTreeMap<String, Vec<(i64, i64)>>;

struct VictoriaMetrics<'lab>(Store<'lab>);

impl<'lab> VictoriaMetrics<'lab> {
    /// Starts an empty one. Its listeners other than the one for HTTP are off by default.
    fn start(lab: &'lab Lab) -> Self {
        Self(Store::start(lab, "victoria-metrics", ADDRESS, |command, data| {
            command
                .arg(format!("-httpListenAddr={ADDRESS}"))
                .arg(format!("-storageDataPath={}", data.display()))
                .args(["-selfScrapeInterval=0", "-memory.allowedBytes=128MiB"]);
        }))
    }

    /// Returns everything that is kept with the label `way`.
    fn series(&self, way: &str) -> Series {
        let selector = encoded(&format!("{{way=\"{way}\"}}"));
        let answer = self.0.ask("GET", &format!("/api/v1/export?match[]={selector}"));
        let series = answer.lines().map(|line| {
            let series: serde_json::Value = serde_json::from_str(line).unwrap();
            let numbers = |key: &str| -> Vec<i64> {
                series[key].as_array().unwrap().iter().map(|number| number.as_i64().unwrap()).collect()
            };
            let mut samples: Vec<(i64, i64)> =
                numbers("timestamps").into_iter().zip(numbers("values")).collect();
            samples.sort_unstable();
            (series["metric"]["__name__"].as_str().unwrap().to_owned(), samples)
        });
        series.collect()
    }
}

/// Returns what must be kept of `lines`, each at its millisecond: numbers as they are, and 0 for a string.
fn expected(lines: &[Line]) -> Series {
    let mut series = Series::new();
    for line in lines {
        for (name, value) in &line.fields {
            let number = match value {
                Value::Integer(number) => *number,
                Value::Text(_) => 0,
            };
            let name = format!("{}_{name}", line.measurement);
            series.entry(name).or_default().push((line.time / 1_000_000, number));
        }
    }
    for samples in series.values_mut() {
        samples.sort_unstable();
    }
    series
}

/// Every number of every row is kept, with both kinds of URL. Strings become 0.
#[test]
fn victoriametrics_keeps_every_number() {
    const PACKETS: usize = 300;
    let test = "victoriametrics_keeps_every_number";
    let Some(lab) = lab(test) else { return };
    if !is_installed(test, "victoria-metrics", "victoria-metrics") {
        return;
    }
    let victoria = VictoriaMetrics::start(&lab);
    for (way, rest) in [("v1", "/write?db=packets&extra_label=way=v1"), ("v2", "?extra_label=way=v2")] {
        let relay = Relay::start(&lab.node, ADDRESS);
        let url = format!("http://{}{rest}", relay.address);
        let mut daemon = Daemon::start(&lab, &["--sink", "influx", "--url", &url]);
        lab.send(&[frame::ssdp()]);
        lab.send(&vec![frame::datagram(9); PACKETS]);
        let count = |name: &str| relay.lines().iter().filter(|line| line.measurement == name).count();
        wait_until("all rows are pushed", || {
            count("packet_details") == PACKETS + 1 && count("top_talkers") > 0
        });
        assert!(daemon.terminate().0.success());
        assert_eq!(daemon.log().matches("delivering rows").count(), 1, "{}", daemon.log());

        let expected = expected(&relay.lines());
        for part in ["packet_details_length", "packet_rate_packets", "top_talkers_rank", "streamer_pushes"] {
            assert!(expected.contains_key(part), "{part} was not pushed");
        }
        // A query finds new samples after a second.
        wait_until("all is there", || victoria.series(way).len() == expected.len());
        wait_until("every value is there", || {
            let kept = victoria.series(way);
            expected.iter().all(|(name, samples)| kept[name].len() == samples.len())
        });
        assert_eq!(victoria.series(way), expected);
    }
}
