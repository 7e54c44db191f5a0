//! What the screen shows, and how it is kept up to date.

use crate::capture::Capture;
use crate::clock::WallClock;
use crate::counters;
use crate::flow::{Flow, Flows, Volume};
use crate::packet::Packet;
use crate::privacy::Privacy;
use crate::row::{Encoder, Encoding, Origin, PacketDetails};
use crate::sampling::Budget;
use anyhow::Result;
use packet_record::{Control, Counters};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Packets shown a second: more than anyone can read.
const BUDGET: u32 = 200;
const LAST_PACKETS: usize = 200;
const HISTORY: usize = 300;
const TALKERS: usize = 20;
const SECOND: Duration = Duration::from_secs(1);

/// The screen's content, free of the kernel.
#[derive(Debug, Default)]
pub(super) struct View {
    pub(super) interface: String,
    pub(super) mode: &'static str,
    pub(super) paused: bool,
    pub(super) sampling: u32,
    pub(super) packets_per_second: u64,
    pub(super) bits_per_second: u64,
    pub(super) totals: Counters,
    /// Packets in each of the last seconds, the newest last.
    pub(super) history: VecDeque<u64>,
    /// Packets and bytes of the last second by protocol, only those that had any.
    pub(super) protocols: Vec<(&'static str, u64, u64)>,
    pub(super) talkers: Vec<(Flow, Volume)>,
    /// The newest last.
    pub(super) packets: VecDeque<String>,
}

#[derive(Debug)]
pub(super) struct App {
    pub(super) view: View,
    origin: Origin,
    capture: Capture,
    budget: Budget,
    flows: Flows,
    encoder: Encoder,
    polled: (Instant, Counters),
    reported: (Instant, Counters),
    stale: bool,
}

impl App {
    /// Puts a loaded program on the interface.
    pub(super) fn start(interface: &str, index: u32, mut capture: Capture) -> Result<Self> {
        let budget = Budget::new(BUDGET);
        capture.control(Control { ratio: budget.ratio(), ..Control::default() })?;
        let mode = capture.attach(interface, index)?;
        let now = (Instant::now(), Counters::default());
        Ok(Self {
            view: View { interface: interface.to_owned(), mode: mode.name(), sampling: 1, ..View::default() },
            origin: Origin::new(String::new(), interface.to_owned()),
            capture,
            budget,
            flows: Flows::default(),
            encoder: Encoder::new(Encoding::Table),
            polled: now,
            reported: now,
            stale: true,
        })
    }

    /// Makes the next update draw.
    pub(super) fn redraw(&mut self) {
        self.stale = true;
    }

    /// Reads the kernel's side; true if there is something new to draw.
    pub(super) fn update(&mut self) -> Result<bool> {
        let wall = WallClock::now();
        let Self { capture, encoder, origin, .. } = self;
        capture.read(usize::MAX, |record| {
            let packet = Packet::from(record);
            encoder.encode(&PacketDetails { time: wall.unix(packet.time), packet: &packet, origin });
        });
        let batch = encoder.take();
        if !self.view.paused && batch.rows > 0 {
            let text = String::from_utf8_lossy(&batch.body);
            self.view.packets.extend(text.lines().map(str::to_owned));
            let surplus = self.view.packets.len().saturating_sub(LAST_PACKETS);
            self.view.packets.drain(..surplus);
            self.stale = true;
        }

        let now = (Instant::now(), self.capture.counters()?);
        let growth = counters::growth(&now.1, &self.polled.1);
        if let Some(ratio) = self.budget.observe(growth.seen().packets, now.0 - self.polled.0) {
            self.capture.control(Control { ratio, ..Control::default() })?;
            self.view.sampling = ratio;
        }
        self.polled = now;
        if now.0 - self.reported.0 >= SECOND {
            self.report(&now);
            self.stale = true;
        }
        Ok(std::mem::take(&mut self.stale))
    }

    fn report(&mut self, now: &(Instant, Counters)) {
        let elapsed = (now.0 - self.reported.0).as_nanos().max(1);
        let growth = counters::growth(&now.1, &self.reported.1);
        self.reported = *now;
        let rate =
            |count: u64| u64::try_from(u128::from(count) * 1_000_000_000 / elapsed).unwrap_or(u64::MAX);
        let view = &mut self.view;
        view.totals = now.1;
        view.packets_per_second = rate(growth.seen().packets);
        view.bits_per_second = rate(growth.seen().bytes.saturating_mul(8));
        view.history.push_back(view.packets_per_second);
        if view.history.len() > HISTORY {
            view.history.pop_front();
        }
        if view.paused {
            return;
        }
        view.protocols = counters::classes(&growth)
            .filter(|(_, traffic)| traffic.packets > 0)
            .map(|(name, traffic)| (name, rate(traffic.packets), rate(traffic.bytes)))
            .collect();
        view.protocols.sort_by_key(|(_, packets, _)| std::cmp::Reverse(*packets));
        if let Some(entries) = self.capture.flows() {
            let reading = self.flows.read(entries, TALKERS, &Privacy::default());
            self.capture.forget(&reading.stale);
            view.talkers = reading.largest;
        }
    }
}
