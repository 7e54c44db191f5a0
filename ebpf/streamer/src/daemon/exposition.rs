//! The reports of the streams in Prometheus' text format 0.0.4.

use super::board::Report;
use crate::counters;
use crate::delivery::{Deliveries, SinkState};
use crate::flow::Volume;
use crate::process;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// The most conversations of one interface. Each has labels of its own, and Prometheus keeps each as a series.
const MOST_CONVERSATIONS: usize = 10;

/// Name, type and help of a metric, and its value for one stream.
type Metric<Source> = (&'static str, &'static str, &'static str, fn(&Source) -> u64);

const OF_REPORT: [Metric<Report>; 16] = [
    ("packets_total", "counter", "Packets seen.", |report| report.counters.seen().packets),
    ("bytes_total", "counter", "Bytes seen.", |report| report.counters.seen().bytes),
    (
        "matched_total",
        "counter",
        "Packets that the filter accepted, or all but our own pushes without one.",
        |report| report.counters.matched(),
    ),
    ("filtered_out_total", "counter", "Packets that the filter rejected.", |report| {
        report.counters.filtered_out
    }),
    ("shown_total", "counter", "Packets recorded.", |report| report.counters.shown),
    ("sampled_out_total", "counter", "Packets left out by sampling.", |report| report.counters.sampled_out),
    ("lost_total", "counter", "Packets not recorded because the ring was full.", |report| {
        report.counters.lost
    }),
    ("self_packets_total", "counter", "Packets of our own pushes.", |report| {
        report.counters.self_traffic.packets
    }),
    ("self_bytes_total", "counter", "Bytes of our own pushes.", |report| report.counters.self_traffic.bytes),
    ("malformed_total", "counter", "Packets with a broken or truncated header.", |report| {
        report.counters.malformed
    }),
    ("multicast_total", "counter", "Packets to a multicast address.", |report| report.counters.multicast),
    ("broadcast_total", "counter", "Packets to the broadcast address.", |report| report.counters.broadcast),
    ("untracked_packets_total", "counter", "Packets in no flow.", |report| report.counters.untracked.packets),
    ("untracked_bytes_total", "counter", "Bytes in no flow.", |report| report.counters.untracked.bytes),
    ("sampling_ratio", "gauge", "One packet in this many is recorded.", |report| report.sampling.into()),
    ("attached", "gauge", "Whether the program is attached.", |report| u64::from(!report.mode.is_empty())),
];

const OF_DELIVERIES: [Metric<Deliveries>; 8] = [
    ("rows_delivered_total", "counter", "Rows that the sink accepted.", |counts| counts.delivered),
    ("rows_dropped_total", "counter", "Oldest rows of a full buffer.", |counts| counts.dropped),
    ("rows_refused_total", "counter", "Rows that the sink refused.", |counts| counts.refused),
    ("rows_waiting", "gauge", "Rows in the buffer.", |counts| counts.waiting),
    ("buffer_bytes", "gauge", "Bytes in the buffer.", |counts| counts.waiting_bytes),
    ("pushes_total", "counter", "Pushes.", |counts| counts.pushes),
    ("push_failures_total", "counter", "Pushes that failed.", |counts| counts.failures),
    (
        "last_success_timestamp_seconds",
        "gauge",
        "Time of the last push that the sink accepted; 0 if none.",
        |counts| counts.last_success,
    ),
];

const OF_PROTOCOL: [Metric<packet_record::Traffic>; 2] = [
    ("protocol_packets_total", "counter", "Packets by protocol.", |traffic| traffic.packets),
    ("protocol_bytes_total", "counter", "Bytes by protocol.", |traffic| traffic.bytes),
];

const OF_CONVERSATION: [Metric<Volume>; 2] = [
    ("top_packets_per_second", "gauge", "Packets of the largest flows of the last second.", |volume| {
        volume.packets
    }),
    ("top_bytes_per_second", "gauge", "Bytes of the largest flows of the last second.", |volume| {
        volume.bytes
    }),
];

/// What the process itself uses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process {
    resident_bytes: u64,
    cpu: Duration,
    start: Duration,
}

impl Process {
    pub(super) fn now() -> Self {
        Self {
            resident_bytes: process::resident_bytes(),
            cpu: Duration::from_millis(process::cpu_ms()),
            start: process::start_time(),
        }
    }
}

/// Writes every metric, with one sample for each stream.
pub(super) fn write(reports: &[Report], process: &Process) -> String {
    let mut page = Page(String::new());
    for (name, kind, help, value) in OF_REPORT {
        page.head(name, kind, help);
        for report in reports {
            page.sample(name, &labels(report), value(report));
        }
    }
    for (name, kind, help, value) in OF_PROTOCOL {
        page.head(name, kind, help);
        for report in reports {
            for (protocol, traffic) in counters::classes(&report.counters) {
                page.sample(name, &format!("{},protocol=\"{protocol}\"", labels(report)), value(&traffic));
            }
        }
    }
    for (name, kind, help, value) in OF_CONVERSATION {
        page.head(name, kind, help);
        for report in reports {
            for (ends, volume) in conversations(report) {
                page.sample(name, &format!("{},{ends}", labels(report)), value(&volume));
            }
        }
    }
    for (name, kind, help, value) in OF_DELIVERIES {
        page.head(name, kind, help);
        for report in reports {
            page.sample(name, &labels(report), value(&report.queue.deliveries()));
        }
    }
    page.head("sink_state", "gauge", "Whether this is the state of the sink.");
    for report in reports {
        let now = report.queue.deliveries().state;
        for state in SinkState::ALL {
            let labels = format!("{},state=\"{}\"", labels(report), state.name());
            page.sample("sink_state", &labels, u64::from(state == now));
        }
    }
    page.head("build_info", "gauge", "The version.");
    page.sample("build_info", concat!("version=\"", env!("CARGO_PKG_VERSION"), "\""), 1);
    let Page(mut text) = page;
    let Process { resident_bytes, cpu, start } = process;
    let _ = write!(
        text,
        "# HELP process_resident_memory_bytes Resident memory.\n\
         # TYPE process_resident_memory_bytes gauge\n\
         process_resident_memory_bytes {resident_bytes}\n\
         # HELP process_cpu_seconds_total Processor time.\n\
         # TYPE process_cpu_seconds_total counter\n\
         process_cpu_seconds_total {}.{:03}\n\
         # HELP process_start_time_seconds Start of the process, in seconds since the Unix epoch.\n\
         # TYPE process_start_time_seconds gauge\n\
         process_start_time_seconds {}.{:03}\n",
        cpu.as_secs(),
        cpu.subsec_millis(),
        start.as_secs(),
        start.subsec_millis()
    );
    text
}

/// The largest flows of a stream by their hosts and protocols. Ports are left out: each new connection would be a new
/// series.
fn conversations(report: &Report) -> Vec<(String, Volume)> {
    let mut sums: BTreeMap<String, Volume> = BTreeMap::new();
    for (flow, volume) in &report.talkers {
        let ends = format!(
            "source_ip=\"{}\",destination_ip=\"{}\",protocol=\"{}\"",
            flow.source.text(),
            flow.destination.text(),
            flow.protocol.name()
        );
        let sum = sums.entry(ends).or_default();
        // Both directions.
        sum.packets += volume.all_packets();
        sum.bytes += volume.all_bytes();
    }
    let mut largest: Vec<(String, Volume)> = sums.into_iter().collect();
    largest.sort_by_key(|(_, volume)| std::cmp::Reverse(volume.bytes));
    largest.truncate(MOST_CONVERSATIONS);
    largest
}

/// The page that is being written.
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP xdp_streamer_{name} {help}\n# TYPE xdp_streamer_{name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &str, value: u64) {
        let _ = writeln!(self.0, "xdp_streamer_{name}{{{labels}}} {value}");
    }
}

fn labels(report: &Report) -> String {
    format!("host=\"{}\",interface=\"{}\"", escape(report.origin.host()), escape(report.origin.interface()))
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::Queue;
    use crate::flow::Flow;
    use crate::packet::{Address, Protocol};
    use crate::row::Origin;
    use packet_record::{Counters, Traffic};
    use snapbox::{assert_data_eq, file};
    use std::sync::Arc;
    use std::time::Instant;

    fn report(talkers: Vec<(Flow, Volume)>) -> Report {
        let counters = Counters {
            shown: 2,
            sampled_out: 3,
            ..Counters::all_of(packet_record::Protocol::UdpIpv4, Traffic { packets: 5, bytes: 700 })
        };
        Report {
            origin: Origin::new("rk1-01", "odd\"name"),
            counters,
            packets_per_second: 5,
            mode: "generic",
            sampling: 1,
            talkers,
            queue: Arc::new(Queue::new(1000)),
            at: Instant::now(),
        }
    }

    fn talker(last: u8, source_port: u16) -> (Flow, Volume) {
        let flow = Flow {
            source: Address::V4([192, 0, 2, last].into()),
            destination: Address::V4([198, 51, 100, 1].into()),
            protocol: Protocol::TCP,
            source_port,
            destination_port: 443,
        };
        (flow, Volume { packets: 2, bytes: 100 + u64::from(last), ..Volume::default() })
    }

    #[test]
    fn every_metric_is_written_once() {
        let process = Process {
            resident_bytes: 9_000_000,
            cpu: Duration::from_millis(1234),
            start: Duration::from_millis(1_716_570_245_067),
        };
        let text = write(&[report(vec![talker(1, 40_000), talker(1, 40_001), talker(2, 5)])], &process);
        assert_data_eq!(
            text.replace(env!("CARGO_PKG_VERSION"), "VERSION"),
            file!["snapshots/exposition.txt"].raw()
        );
    }

    /// However many flows there are, Prometheus gets the ten largest pairs of hosts.
    #[test]
    fn the_number_of_conversations_is_bounded() {
        let talkers = (0..100).flat_map(|host| [talker(host, 1), talker(host, 2)]).collect();
        let conversations = conversations(&report(talkers));
        assert_eq!(conversations.len(), MOST_CONVERSATIONS);
        assert!(conversations[0].0.contains("192.0.2.99"), "{conversations:?}");
        assert_eq!(conversations[0].1, Volume { packets: 4, bytes: 398, ..Volume::default() });
    }
}
