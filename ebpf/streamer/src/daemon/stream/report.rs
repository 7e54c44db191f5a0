//! The report of each second: totals, talkers, and the daemon's own state.

use super::{Reading, Stream};
use crate::clock::{self, WallClock};
use crate::counters;
use crate::daemon::board::Report;
use crate::flow::{self, Flow, Volume};
use crate::process;
use crate::row::{Encoding, Health, PacketRate, TopTalker};
use aya::maps::MapError;
use std::sync::Arc;
use std::time::Instant;

impl Stream {
    /// Writes the rows of the last second, and updates the board.
    pub(super) fn report(&mut self) -> Result<(), MapError> {
        // Before the counters, which hold the packets that no flow kept.
        let talkers = self.largest_conversations();
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

        // In a table for people, these rows would hide the packets.
        if self.rows != Some(Encoding::Table) {
            self.report_talkers(now, interval, &talkers);
            self.encoder.encode(&Health {
                time: self.report_times.assign(now),
                origin: &self.origin,
                uptime_seconds: self.started.elapsed().as_secs(),
                mode: self.mode(),
                sampling: self.control.ratio,
                deliveries: self.queue.deliveries(),
                memory: process::resident_bytes(),
                cpu_ms: process::cpu_ms(),
            });
        }

        self.board.put(Report {
            origin: self.origin.clone(),
            counters: reading.counters,
            packets_per_second,
            mode: self.mode(),
            sampling: self.control.ratio,
            talkers,
            queue: Arc::clone(&self.queue),
            at: reading.at,
        });
        self.service.borrow_mut().beat(&self.board);
        self.flush();
        Ok(())
    }

    fn largest_conversations(&mut self) -> Vec<(Flow, Volume)> {
        let flows = self.attachment.capture.flows().unwrap_or_default();
        flow::largest(&flows, self.talkers, &self.privacy)
    }

    fn report_talkers(&mut self, now: i64, interval: u64, talkers: &[(Flow, Volume)]) {
        let wall = WallClock::now();
        for (rank, (flow, volume)) in (1..).zip(talkers) {
            self.encoder.encode(&TopTalker {
                time: self.report_times.assign(now),
                origin: &self.origin,
                interval,
                rank,
                flow,
                volume: *volume,
                first_seen: wall.unix(volume.first_seen),
                last_seen: wall.unix(volume.last_seen),
            });
        }
    }
}
