//! The streams' reports in Prometheus' text format 0.0.4.

use super::board::Report;
use crate::counters;
use crate::delivery::Deliveries;
use std::fmt::Write as _;

/// Name, kind, help, and the value of one stream.
type Metric<Source> = (&'static str, &'static str, &'static str, fn(&Source) -> u64);

const OF_REPORT: [Metric<Report>; 12] = [
    ("packets_total", "counter", "Packets seen.", |report| report.counters.seen().packets),
    ("bytes_total", "counter", "Bytes seen.", |report| report.counters.seen().bytes),
    ("shown_total", "counter", "Packets recorded to be shown.", |report| report.counters.shown),
    ("sampled_out_total", "counter", "Packets not chosen to be shown.", |report| report.counters.sampled_out),
    ("lost_total", "counter", "Packets chosen that found the ring full.", |report| report.counters.lost),
    ("self_packets_total", "counter", "Packets of our own pushes.", |report| {
        report.counters.self_traffic.packets
    }),
    ("malformed_total", "counter", "Packets with a broken or cut header.", |report| {
        report.counters.malformed
    }),
    ("multicast_total", "counter", "Packets to a multicast address.", |report| report.counters.multicast),
    ("broadcast_total", "counter", "Packets to the broadcast address.", |report| report.counters.broadcast),
    ("untracked_packets_total", "counter", "Packets in no flow.", |report| report.counters.untracked.packets),
    ("sampling_ratio", "gauge", "One packet in this many is shown.", |report| report.sampling.into()),
    ("attached", "gauge", "Whether the interface is watched.", |report| u64::from(!report.mode.is_empty())),
];

const OF_DELIVERIES: [Metric<Deliveries>; 7] = [
    ("rows_delivered_total", "counter", "Rows that the sink took.", |counts| counts.delivered),
    ("rows_dropped_total", "counter", "Oldest rows of a full buffer.", |counts| counts.dropped),
    ("rows_refused_total", "counter", "Rows that the sink refused.", |counts| counts.refused),
    ("rows_waiting", "gauge", "Rows in the buffer.", |counts| counts.waiting),
    ("buffer_bytes", "gauge", "Bytes in the buffer.", |counts| counts.waiting_bytes),
    ("pushes_total", "counter", "Pushes tried.", |counts| counts.pushes),
    ("push_failures_total", "counter", "Pushes that failed.", |counts| counts.failures),
];

const OF_PROTOCOL: [Metric<packet_record::Traffic>; 2] = [
    ("protocol_packets_total", "counter", "Packets by protocol.", |traffic| traffic.packets),
    ("protocol_bytes_total", "counter", "Bytes by protocol.", |traffic| traffic.bytes),
];

/// Writes every metric once, with one sample a stream (and protocol).
pub(super) fn write(reports: &[Report], resident_bytes: u64, cpu_ms: u64) -> String {
    let mut out = String::new();
    for (name, kind, help, value) in OF_REPORT {
        head(&mut out, name, kind, help);
        for report in reports {
            let _ = writeln!(out, "xdp_streamer_{name}{{{}}} {}", labels(report), value(report));
        }
    }
    for (name, kind, help, value) in OF_PROTOCOL {
        head(&mut out, name, kind, help);
        for report in reports {
            for (protocol, traffic) in counters::classes(&report.counters) {
                let labels = labels(report);
                let _ = writeln!(
                    out,
                    "xdp_streamer_{name}{{{labels},protocol=\"{protocol}\"}} {}",
                    value(&traffic)
                );
            }
        }
    }
    for (name, kind, help, value) in OF_DELIVERIES {
        head(&mut out, name, kind, help);
        for report in reports {
            let _ = writeln!(
                out,
                "xdp_streamer_{name}{{{}}} {}",
                labels(report),
                value(&report.queue.deliveries())
            );
        }
    }
    head(&mut out, "build_info", "gauge", "The version.");
    let _ = writeln!(
        out,
        "xdp_streamer_build_info{{version=\"{}\"}} 1\n\
         # HELP process_resident_memory_bytes Resident memory.\n\
         # TYPE process_resident_memory_bytes gauge\n\
         process_resident_memory_bytes {resident_bytes}\n\
         # HELP process_cpu_seconds_total Processor time.\n\
         # TYPE process_cpu_seconds_total counter\n\
         process_cpu_seconds_total {}.{:03}",
        env!("CARGO_PKG_VERSION"),
        cpu_ms / 1000,
        cpu_ms % 1000
    );
    out
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP xdp_streamer_{name} {help}\n# TYPE xdp_streamer_{name} {kind}");
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
    use crate::row::Origin;
    use packet_record::{Counters, Traffic};
    use snapbox::{assert_data_eq, file};
    use std::sync::Arc;
    use std::time::Instant;

    #[test]
    fn every_metric_is_written_once() {
        let counters = Counters {
            shown: 2,
            sampled_out: 3,
            ..Counters::all_of(packet_record::Protocol::UdpIpv4, Traffic { packets: 5, bytes: 700 })
        };
        let report = Report {
            origin: Origin::new("rk1-01", "odd\"name"),
            counters,
            packets_per_second: 5,
            mode: "generic",
            sampling: 1,
            queue: Arc::new(Queue::new(1000)),
            at: Instant::now(),
        };
        let text = write(&[report], 9_000_000, 1234);
        assert_data_eq!(
            text.replace(env!("CARGO_PKG_VERSION"), "VERSION"),
            file!["snapshots/exposition.txt"].raw()
        );
    }
}
