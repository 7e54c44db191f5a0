//! Keeps the view up to date with the kernel.

use super::view::{Seen, View};
use crate::capture::{Capture, Interfaces};
use crate::clock::WallClock;
use crate::counters;
use crate::flow;
use crate::packet::Packet;
use crate::privacy::Privacy;
use crate::row::UniqueTime;
use crate::sampling::Budget;
use anyhow::Result;
use packet_record::{Control, Counters};
use std::time::{Duration, Instant};

/// Packets shown a second: more than anyone can read.
const BUDGET: u32 = 200;

/// Flows of a second, so that a filter finds small ones too.
const TALKERS: usize = 500;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct App {
    pub(super) view: View,
    capture: Capture,
    interfaces: Interfaces,
    /// The index of the interface while the program is attached.
    index: Option<u32>,
    budget: Budget,
    times: UniqueTime,
    polled: (Instant, Counters),
    reported: (Instant, Counters),
    stale: bool,
}

impl App {
    /// Attaches a loaded program to the interface.
    pub(super) fn start(
        mut view: View,
        index: u32,
        interfaces: Interfaces,
        mut capture: Capture,
    ) -> Result<Self> {
        let budget = Budget::new(BUDGET);
        capture.control(Control { ratio: budget.ratio(), ..Control::default() })?;
        view.mode = capture.attach(view.origin.interface(), index)?.name();
        let now = (Instant::now(), Counters::default());
        Ok(Self {
            times: UniqueTime::new(&view.origin),
            view,
            capture,
            interfaces,
            index: Some(index),
            budget,
            polled: now,
            reported: now,
            stale: true,
        })
    }

    /// Makes the next update draw.
    pub(super) fn redraw(&mut self) {
        self.stale = true;
    }

    /// Reads the ring and the counters. Returns whether there is something new to draw.
    pub(super) fn update(&mut self) -> Result<bool> {
        let wall = WallClock::now();
        let mut packets = Vec::new();
        let times = &mut self.times;
        self.capture.read(usize::MAX, |record| {
            let packet = Packet::from(record);
            packets.push(Seen { time: times.assign(wall.unix(packet.time)), packet });
        });
        self.stale |= !packets.is_empty() && !self.view.paused;
        self.view.add(packets);

        let now = (Instant::now(), self.capture.counters()?);
        let growth = counters::growth(&now.1, &self.polled.1);
        if let Some(ratio) = self.budget.observe(growth.matched(), now.0 - self.polled.0) {
            self.capture.control(Control { ratio, ..Control::default() })?;
            self.view.sampling = ratio;
        }
        self.polled = now;
        if now.0 - self.reported.0 >= SECOND {
            self.follow();
            self.report(&now);
            self.stale = true;
        }
        if self.view.wants_dns() {
            self.stale |= self.view.names.look_up();
        }
        Ok(std::mem::take(&mut self.stale))
    }

    /// Detaches from an interface that has disappeared, and attaches again when it is back.
    fn follow(&mut self) {
        let name = self.view.origin.interface();
        let index = self.interfaces.index(name);
        // The link itself is asked: somebody else may have detached it.
        if index == self.index && (index.is_none() || self.capture.attached_to() == index) {
            return;
        }
        self.index = None;
        self.capture.detach();
        self.view.mode = "";
        let Some(index) = index else {
            self.view.trouble = "the interface is gone; waiting for it".into();
            return;
        };
        match self.capture.attach(name, index) {
            Ok(mode) => {
                self.index = Some(index);
                self.view.mode = mode.name();
            }
            Err(error) => {
                let text = error.to_string();
                self.view.trouble = text.lines().next().unwrap_or_default().into();
            }
        }
    }

    fn report(&mut self, now: &(Instant, Counters)) {
        let elapsed = (now.0 - self.reported.0).as_nanos().max(1);
        let growth = counters::growth(&now.1, &self.reported.1);
        self.reported = *now;
        let rate =
            |count: u64| u64::try_from(u128::from(count) * 1_000_000_000 / elapsed).unwrap_or(u64::MAX);
        let view = &mut self.view;
        view.totals = now.1;
        view.add_second(rate(growth.seen().packets), rate(growth.seen().bytes.saturating_mul(8)));
        let flows = self.capture.flows().unwrap_or_default();
        if view.paused {
            return;
        }
        view.protocols = counters::classes(&growth)
            .filter(|(_, traffic)| traffic.packets > 0)
            .map(|(name, traffic)| (name, rate(traffic.packets), rate(traffic.bytes)))
            .collect();
        view.talkers = flow::largest(&flows, TALKERS, &Privacy::default());
    }
}
