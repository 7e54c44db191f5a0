//! The stream of one interface: from the ring to the queue.

mod report;

use super::alarm::Alarm;
use super::attachment::Attachment;
use super::board::Board;
use super::poll::PollTimer;
use super::recorder::Track;
use super::service::Service;
use crate::capture::{AttachError, Capture, Interfaces, RingSize};
use crate::clock::WallClock;
use crate::command::Settings;
use crate::counters;
use crate::delivery::{DropLog, Queue};
use crate::packet::Packet;
use crate::privacy::Privacy;
use crate::row::{Encoder, Encoding, MOST_ROWS, Origin, PacketDetails, UniqueTime};
use crate::sampling::Budget;
use crate::sink::OwnAddresses;
use aya::maps::MapError;
use packet_record::{Control, Counters};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often totals, talkers and the daemon's own state are reported, and the interface is looked for.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// The size of a large row, in bytes.
const ROW_BYTES: usize = 1024;

/// How long a reader with a full ring waits for a sink that is about to make room in the buffer.
const PATIENCE: Duration = Duration::from_millis(50);

/// The reader of one interface.
#[derive(Debug)]
pub(super) struct Stream {
    origin: Origin,
    /// How rows are written; None if there is no sink for them.
    rows: Option<Encoding>,
    talkers: usize,
    once: bool,
    /// Whether the stream ends when its interface disappears.
    leaves: bool,
    /// Whether the stream fails when somebody else detaches the program.
    exit_on_detach: bool,
    privacy: Privacy,

    attachment: Attachment,
    control: Control,
    own: OwnAddresses,
    budget: Budget,
    poll: PollTimer,

    /// The most records to read before the sink gets a chance to empty the queue.
    most_records: usize,
    encoder: Encoder,
    times: UniqueTime,
    /// Apart from the times of packets, which may run ahead of the clock.
    report_times: UniqueTime,
    queue: Arc<Queue>,
    track: Option<Track>,
    /// Packets that are missing in the file.
    missing: DropLog,
    drops: DropLog,
    board: Arc<Board>,
    service: Rc<RefCell<Service>>,

    started: Instant,
    /// Since when the reader waits for the sink.
    waiting: Option<Instant>,
    polled: Reading,
    reported: Reading,
}

/// Counters and the time at which they were read.
#[derive(Debug, Clone, Copy)]
struct Reading {
    at: Instant,
    counters: Counters,
}

/// Where a stream is attached.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) interface: &'a str,
    pub(super) index: u32,
    pub(super) interfaces: Interfaces,
    /// Whether the stream ends when the interface disappears.
    pub(super) leaves: bool,
}

/// The parts of the daemon that a stream uses.
#[derive(Debug)]
pub(super) struct Surroundings {
    pub(super) queue: Arc<Queue>,
    pub(super) board: Arc<Board>,
    pub(super) service: Rc<RefCell<Service>>,
    pub(super) own: OwnAddresses,
    /// Whether there is a sink for rows.
    pub(super) sends_rows: bool,
    /// Where the packets themselves are written to.
    pub(super) track: Option<Track>,
}

/// How a stream ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) interface: String,
    pub(super) why: Why,
    /// The totals of all packets.
    pub(super) counters: Counters,
}

/// Why a stream ended.
#[derive(Debug)]
pub(super) enum Why {
    /// The daemon stops.
    Stopped,
    /// The first second is over, and `--once` asked for no more.
    Once,
    /// The interface has disappeared.
    InterfaceGone,
    /// Somebody else has detached the program, and the user asked to end then.
    Detached,
    /// Nobody reads the rows any more.
    SinkGone,
    Failed(StreamError),
}

impl Stream {
    /// Attaches a loaded program to an interface.
    pub(super) fn start(
        settings: &Settings,
        place: Place<'_>,
        ring: RingSize,
        mut capture: Capture,
        around: Surroundings,
    ) -> Result<Self, StartError> {
        let budget = Budget::new(settings.budget);
        let mut control = Control { ratio: budget.ratio(), ..Control::default() };
        control.set_push_targets(around.own.take_change().unwrap_or_default());
        // Before the first packet: a program without settings shows nothing.
        capture.control(control)?;
        let Place { interface, index, interfaces, leaves } = place;
        let attachment = Attachment::start(capture, interfaces, interface, index)?;
        let now = Instant::now();
        let reading = Reading { at: now, counters: Counters::default() };
        let origin = settings.origin(interface);
        Ok(Self {
            rows: around.sends_rows.then(|| settings.output.encoding()),
            talkers: settings.talkers,
            once: settings.once,
            leaves,
            exit_on_detach: settings.exit_on_detach,
            privacy: settings.privacy.clone(),
            attachment,
            control,
            own: around.own,
            budget,
            poll: PollTimer::new(ring, settings.budget),
            most_records: (settings.buffer / 4 / ROW_BYTES).clamp(1, ring.records()),
            encoder: Encoder::new(settings.output.encoding()),
            times: UniqueTime::new(&origin),
            report_times: UniqueTime::new(&origin),
            queue: around.queue,
            track: around.track,
            missing: DropLog::default(),
            drops: DropLog::default(),
            board: around.board,
            service: around.service,
            started: now,
            waiting: None,
            polled: reading,
            reported: reading,
            origin,
        })
    }

    /// Reads and reports until told to stop. Then it detaches, reads the rest, and closes the queue.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) -> Ended {
        let mut why = self.read_on(&mut stop).await.unwrap_or_else(Why::Failed);
        self.attachment.capture.detach();
        if let (Err(error), false) = (self.finish(), matches!(why, Why::Failed(_))) {
            why = Why::Failed(error.into());
        }
        self.queue.close();
        self.board.remove(&self.origin);
        Ended { interface: self.origin.interface().to_owned(), why, counters: self.reported.counters }
    }

    async fn read_on(&mut self, stop: &mut watch::Receiver<bool>) -> Result<Why, StreamError> {
        let alarm = Alarm::new()?;
        loop {
            match self.step()? {
                Step::Wait(wait) => tokio::select! {
                    _ = stop.changed() => return Ok(Why::Stopped),
                    rung = alarm.sleep(wait) => rung?,
                },
                // The delivery runs on this thread.
                Step::Yield => tokio::task::yield_now().await,
                Step::End(why) => return Ok(why),
            }
            if self.queue.is_closed() {
                return Ok(Why::SinkGone);
            }
            if *stop.borrow() {
                return Ok(Why::Stopped);
            }
        }
    }

    fn step(&mut self) -> Result<Step, MapError> {
        let now = Instant::now();
        let is_crowded = self.queue.is_half_full();
        if is_crowded && self.waiting.get_or_insert(now).elapsed() < PATIENCE && self.queue.is_delivering() {
            return Ok(Step::Wait(Duration::from_millis(1)));
        }
        self.waiting = None;
        let found = self.read();
        self.record();
        if let Some(line) = self.drops.note(now, self.queue.dropped()) {
            log::warn!("`{}`: {line}", self.origin.interface());
        }
        let elapsed = self.adjust()?;
        let wait = self.poll.after(found, elapsed);

        let now = Instant::now();
        if now >= self.reported.at + REPORT_EVERY {
            let is_there = self.attachment.follow();
            if self.exit_on_detach && self.attachment.was_detached() {
                return Ok(Step::End(Why::Detached));
            }
            self.report()?;
            if self.once {
                return Ok(Step::End(Why::Once));
            }
            if !is_there && self.leaves {
                return Ok(Step::End(Why::InterfaceGone));
            }
        }
        if found >= self.most_records {
            return Ok(Step::Yield);
        }
        let due = self.reported.at + REPORT_EVERY;
        Ok(Step::Wait(wait.min(due.saturating_duration_since(now)).max(Duration::from_millis(1))))
    }

    /// Turns records of the ring into rows in the queue. Returns how many records it found.
    fn read(&mut self) -> usize {
        let wall = WallClock::now();
        let Self { attachment, encoder, times, origin, privacy, queue, .. } = self;
        if self.rows.is_none() {
            return attachment.capture.read(self.most_records, |_| {});
        }
        let found = attachment.capture.read(self.most_records, |record| {
            let mut packet = Packet::from(record);
            privacy.apply(&mut packet);
            let time = times.assign(wall.unix(packet.time));
            encoder.encode(&PacketDetails { time, packet: &packet, origin });
            if encoder.batch().rows >= MOST_ROWS {
                queue.push(encoder.take());
            }
        });
        if found > 0 {
            self.flush();
        }
        found
    }

    /// Writes the packets themselves.
    fn record(&mut self) {
        let Some(track) = &mut self.track else { return };
        let wall = WallClock::now();
        let lost =
            self.attachment.capture.read_packets(|head, bytes| track.add(wall.unix(head.time), head, bytes));
        track.lost(lost);
        track.flush();
        if self.missing.note(Instant::now(), track.missing()).is_some() {
            let (interface, missing) = (self.origin.interface(), track.missing());
            log::warn!("`{interface}`: {missing} packets are missing in the file, because a buffer was full");
        }
    }

    /// Adjusts the sampling ratio, and the list of our own addresses. Returns the time since the last look.
    fn adjust(&mut self) -> Result<Duration, MapError> {
        let reading = Reading { at: Instant::now(), counters: self.attachment.capture.counters()? };
        let elapsed = reading.at - self.polled.at;
        let growth = counters::growth(&reading.counters, &self.polled.counters);
        self.polled = reading;
        let ratio = self.budget.observe(growth.matched(), elapsed);
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
                "`{}`: the sink has more than {} addresses, so some of our own pushes are shown as packets",
                self.origin.interface(),
                packet_record::MAX_PUSH_TARGETS
            );
        }
        true
    }

    fn mode(&self) -> &'static str {
        self.attachment.capture.mode().map_or("", crate::capture::Mode::name)
    }

    fn flush(&mut self) {
        if self.rows.is_none() {
            return self.encoder.clear();
        }
        self.queue.push(self.encoder.take());
    }

    /// Reads the rest of the ring and the last totals, after detaching.
    fn finish(&mut self) -> Result<(), MapError> {
        while self.read() > 0 {}
        self.record();
        if self.reported.at.elapsed() >= Duration::from_millis(1) && !self.once {
            self.report()?;
        }
        self.flush();
        self.drops.note(Instant::now(), self.queue.dropped());
        if let Some(line) = self.drops.end() {
            log::warn!("`{}`: {line}", self.origin.interface());
        }
        if let Some(track) = self.track.take() {
            if track.missing() > 0 {
                log::warn!(
                    "`{}`: {} packets are missing in the file",
                    self.origin.interface(),
                    track.missing()
                );
            }
            track.end(self.reported.counters.seen().packets, self.reported.counters.lost);
        }
        Ok(())
    }
}

impl Ended {
    /// Logs the totals.
    pub(super) fn log(&self) {
        let counters = &self.counters;
        let why = if matches!(self.why, Why::InterfaceGone) { "the interface is gone" } else { "detached" };
        log::info!(
            "`{}`: {why}; {} packets seen, {} shown, {} sampled out, {} lost, {} our own",
            self.interface,
            counters.seen().packets,
            counters.shown,
            counters.sampled_out,
            counters.lost,
            counters.self_traffic.packets
        );
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum StreamError {
    #[error("cannot read the maps of the packet program")]
    Map(#[from] MapError),
    #[error("the timer failed")]
    Timer(#[from] std::io::Error),
}

#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error(transparent)]
    Attach(#[from] AttachError),
    #[error("cannot write the settings of the packet program")]
    Control(#[from] MapError),
}

/// What to do after a step.
enum Step {
    Wait(Duration),
    /// Give the sink a chance, and go on at once.
    Yield,
    End(Why),
}
