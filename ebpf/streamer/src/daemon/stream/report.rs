//! What is said of each second: totals, talkers, health.

use super::{Reading, Stream};
use crate::clock;
use crate::counters;
use crate::daemon::board::Report;
use crate::daemon::resident_bytes;
use crate::row::{Encoding, Health, PacketRate, TopTalker};
use aya::maps::MapError;
use std::sync::Arc;
use std::time::Instant;

impl Stream {
    /// Writes the rows of the last second.
    pub(super) fn report(&mut self) -> Result<(), MapError> {
        let reading = Reading { at: Instant::now(), counters: self.attachment.capture.counters()? };
        let interval = u64::try_from((reading.at - self.reported.at).as_nanos()).unwrap_or(u64::MAX);
        let growth = counters::growth(&reading.counters, &self.reported.counters);
        self.reported = reading;
        let now = clock::unix_now();

        let rate = PacketRate {
            time: self.report_times.assign(now),
            origin: &self.origin,
            interval,
            counters: &growth,
            sampling: self.control.ratio,
        };
        let packets_per_second = rate.packets_per_second();
        self.encoder.encode(&rate);

        // In a table these would drown the packets.
        if self.encoding != Encoding::Table {
            self.report_talkers(now, interval);
            self.encoder.encode(&Health {
                time: self.report_times.assign(now),
                origin: &self.origin,
                uptime_seconds: self.started.elapsed().as_secs(),
                mode: self.mode(),
                sampling: self.control.ratio,
                deliveries: self.queue.deliveries(),
                memory: resident_bytes(),
                cpu_ms: clock::cpu_ms(),
            });
        }

        self.board.put(Report {
            origin: self.origin.clone(),
            counters: reading.counters,
            packets_per_second,
            mode: self.mode(),
            sampling: self.control.ratio,
            queue: Arc::clone(&self.queue),
            at: reading.at,
        });
        self.service.borrow_mut().beat(&self.board);
        Ok(())
    }

    fn report_talkers(&mut self, now: i64, interval: u64) {
        let Some(entries) = self.attachment.capture.flows() else { return };
        let reading = self.flows.read(entries, self.talkers, &self.privacy);
        self.attachment.capture.forget(&reading.stale);
        for (place, (flow, volume)) in reading.largest.iter().enumerate() {
            self.encoder.encode(&TopTalker {
                time: self.report_times.assign(now),
                origin: &self.origin,
                interval,
                rank: place + 1,
                flow,
                volume: *volume,
            });
        }
    }
}
