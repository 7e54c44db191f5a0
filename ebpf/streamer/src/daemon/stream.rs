//! One interface: from the ring to the queue.

mod report;

use super::alarm::Alarm;
use super::attachment::Attachment;
use super::board::Board;
use super::poll::PollTimer;
use super::service::Service;
use crate::capture::{AttachError, Capture, Interfaces};
use crate::clock::WallClock;
use crate::command::Settings;
use crate::counters;
use crate::delivery::Queue;
use crate::flow::Flows;
use crate::packet::Packet;
use crate::privacy::Privacy;
use crate::row::{Encoder, Encoding, Origin, PacketDetails, UniqueTime, signed};
use crate::sampling::Budget;
use crate::sink::OwnAddresses;
use aya::maps::MapError;
use packet_record::{Control, Counters};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often totals, talkers and health are reported, and the interface is looked for.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// One interface's reader.
#[derive(Debug)]
pub(super) struct Stream {
    origin: Origin,
    encoding: Encoding,
    interval: Duration,
    talkers: usize,
    once: bool,
    privacy: Privacy,

    attachment: Attachment,
    control: Control,
    own: OwnAddresses,
    budget: Budget,
    poll: PollTimer,
    flows: Flows,

    encoder: Encoder,
    times: UniqueTime,
    /// Apart from those of packets, which may run ahead of the clock.
    report_times: UniqueTime,
    queue: Arc<Queue>,
    board: Arc<Board>,
    service: Rc<RefCell<Service>>,

    started: Instant,
    flushed: Instant,
    polled: Reading,
    reported: Reading,
}

/// Counters and when they were read.
#[derive(Debug, Clone, Copy)]
struct Reading {
    at: Instant,
    counters: Counters,
}

/// What a stream shares with the others.
#[derive(Debug, Clone)]
pub(super) struct Surroundings {
    pub(super) queue: Arc<Queue>,
    pub(super) board: Arc<Board>,
    pub(super) service: Rc<RefCell<Service>>,
    pub(super) own: OwnAddresses,
}

impl Stream {
    /// Attaches a loaded program to an interface that is there.
    pub(super) fn start(
        settings: &Settings,
        interface: &str,
        mut capture: Capture,
        index: u32,
        interfaces: Interfaces,
        around: Surroundings,
    ) -> Result<Self, StartError> {
        let budget = Budget::new(settings.budget);
        let mut control = Control { ratio: budget.ratio(), ..Control::default() };
        control.set_push_targets(around.own.take_change().unwrap_or_default());
        // Before the first packet: a program that was told nothing shows nothing.
        capture.control(control)?;
        let attachment = Attachment::start(capture, interfaces, interface, index)?;
        let now = Instant::now();
        let reading = Reading { at: now, counters: Counters::default() };
        let origin = settings.origin(interface);
        Ok(Self {
            encoding: settings.output.encoding(),
            interval: settings.interval,
            talkers: settings.talkers,
            once: settings.once,
            privacy: settings.privacy.clone(),
            attachment,
            control,
            own: around.own,
            budget,
            poll: PollTimer::default(),
            flows: Flows::default(),
            encoder: Encoder::new(settings.output.encoding()),
            times: UniqueTime::new(&origin),
            report_times: UniqueTime::new(&origin),
            queue: around.queue,
            board: around.board,
            service: around.service,
            started: now,
            flushed: now,
            polled: reading,
            reported: reading,
            origin,
        })
    }

    /// Reads and reports until told to stop, then detaches, reads the rest, and closes the queue.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) -> Result<(), StreamError> {
        let alarm = Alarm::new()?;
        let outcome = loop {
            match self.step() {
                Ok(Step::Wait(wait)) => tokio::select! {
                    _ = stop.changed() => break Ok(()),
                    rung = alarm.sleep(wait) => if let Err(error) = rung {
                        break Err(error.into());
                    }
                },
                Ok(Step::Done) => break Ok(()),
                Err(error) => break Err(error.into()),
            }
            if self.queue.is_closed() {
                break Ok(());
            }
        };
        self.attachment.capture.detach();
        let rest = self.finish();
        self.queue.close();
        outcome.and(rest.map_err(StreamError::from))
    }

    fn step(&mut self) -> Result<Step, MapError> {
        let found = self.read();
        let elapsed = self.adjust()?;
        let mut wait = self.poll.after(found, elapsed);

        let now = Instant::now();
        let due = self.reported.at + REPORT_EVERY;
        let reported = now >= due;
        if reported {
            self.attachment.follow();
            self.report()?;
        }
        if self.encoder.rows() > 0 {
            let flush = self.flushed + self.interval;
            if now >= flush || (reported && self.once) {
                self.flush();
            } else {
                wait = wait.min(flush - now);
            }
        }
        if reported && self.once {
            return Ok(Step::Done);
        }
        let due = self.reported.at + REPORT_EVERY;
        Ok(Step::Wait(wait.min(due.saturating_duration_since(now)).max(Duration::from_millis(1))))
    }

    /// Turns what is in the ring into rows.
    fn read(&mut self) -> usize {
        let wall = WallClock::now();
        let Self { attachment, encoder, times, origin, privacy, .. } = self;
        attachment.capture.read(|record| {
            let mut packet = Packet::from(record);
            privacy.apply(&mut packet);
            let time = times.assign(wall.unix(packet.time));
            encoder.encode(&PacketDetails { time, packet: &packet, origin });
        })
    }

    /// Keeps the sampling ratio and the list of our own addresses up to date. Returns the time since the last look.
    fn adjust(&mut self) -> Result<Duration, MapError> {
        let reading = Reading { at: Instant::now(), counters: self.attachment.capture.counters()? };
        let elapsed = reading.at - self.polled.at;
        let growth = counters::growth(&reading.counters, &self.polled.counters);
        self.polled = reading;
        let others = growth.seen().packets.saturating_sub(growth.self_traffic.packets);
        let ratio = self.budget.observe(others, elapsed);
        let moved = self.follow_own_addresses();
        if ratio.is_some() || moved {
            self.control.ratio = self.budget.ratio();
            self.attachment.capture.control(self.control)?;
        }
        Ok(elapsed)
    }

    fn follow_own_addresses(&mut self) -> bool {
        let Some(addresses) = self.own.take_change() else { return false };
        if !self.control.set_push_targets(addresses) {
            log::warn!(
                "`{}`: the sink has more addresses than can be told apart from others' traffic",
                self.origin.interface()
            );
        }
        true
    }

    fn mode(&self) -> &'static str {
        self.attachment.capture.mode().map_or("", crate::capture::Mode::name)
    }

    fn flush(&mut self) {
        self.flushed = Instant::now();
        self.queue.push(self.encoder.take());
    }

    /// After detaching: what is still in the ring, and the last totals.
    fn finish(&mut self) -> Result<(), MapError> {
        while self.read() > 0 {}
        if self.reported.at.elapsed() >= Duration::from_millis(1) && !self.once {
            self.report()?;
        }
        self.flush();
        let counts = self.reported.counters;
        log::info!(
            "`{}`: detached; {} packets seen, {} shown, {} sampled out, {} lost, {} our own",
            self.origin.interface(),
            counts.seen().packets,
            counts.shown,
            counts.sampled_out,
            counts.lost,
            signed(counts.self_traffic.packets)
        );
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum StreamError {
    #[error("the program's maps cannot be read: {0}")]
    Map(#[from] MapError),
    #[error("the timer fails: {0}")]
    Timer(#[from] std::io::Error),
}

#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error(transparent)]
    Attach(#[from] AttachError),
    #[error("the program's settings cannot be written: {0}")]
    Control(#[from] MapError),
}

/// What to do after a step.
enum Step {
    Wait(Duration),
    Done,
}
