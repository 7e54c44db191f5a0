//! `xdp-streamer run`.

use super::board::Board;
use super::metrics;
use super::recorder::{RecordError, Recorder};
use super::roster::Roster;
use super::service::Service;
use super::stream::{Ended, Place, Stream, Surroundings, Why};
use crate::capture::{Capture, Interfaces, RingSize};
use crate::command::Settings;
use crate::delivery::{Backoff, Pace, Queue, deliver};
use anyhow::{Context as _, Result, anyhow, bail};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet, LocalSet};
use tokio::time::MissedTickBehavior;

/// How long the last rows may take after everything is detached. The whole stop takes less than 2 s.
const FAREWELL: Duration = Duration::from_millis(1500);

/// How often the interfaces are compared with the patterns.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Streams until a signal, until the duration is over, or until nobody reads the rows any more.
pub fn run(settings: &Settings) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = LocalSet::new().block_on(&runtime, stream(settings));
    // A name that is being resolved, or a pipe that nobody reads, must not delay the end.
    runtime.shutdown_background();
    outcome
}

/// What ended the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// SIGTERM: a service manager stops the daemon.
    Terminated,
    /// A user's signal, the duration, `--once`, or a closed pipe.
    Asked,
}

async fn stream(settings: &Settings) -> Result<()> {
    let mut signals = Signals::new()?;
    let mut daemon = Daemon::new(settings)?;
    daemon.serve_metrics().await?;
    daemon.open_file()?;
    daemon.start_named()?;
    daemon.start_matching();
    if daemon.streams.is_empty() {
        let wanted = &settings.interfaces;
        if settings.once {
            bail!("no interface matches {wanted}");
        }
        log::info!("no interface matches {wanted} yet");
    }
    Service::ready();

    let outcome = daemon.watch(&mut signals).await;
    Service::stopping();
    let farewell = daemon.stop().await;
    let nothing_delivered = daemon.nothing_delivered();
    let end = outcome?;
    farewell?;
    match (nothing_delivered, end) {
        (Some(reason), End::Asked) => Err(anyhow!("no row was delivered: {reason}")),
        (Some(reason), End::Terminated) => {
            log::warn!("no row was delivered: {reason}");
            Ok(())
        }
        (None, _) => Ok(()),
    }
}

/// The signals that end the daemon.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// The terminal is closed.
    hangup: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> End {
        tokio::select! {
            _ = self.terminate.recv() => End::Terminated,
            _ = self.interrupt.recv() => End::Asked,
            _ = self.hangup.recv() => End::Asked,
        }
    }
}

/// The tasks of the daemon, and what they share.
struct Daemon<'a> {
    settings: &'a Settings,
    ring: RingSize,
    roster: Roster,
    interfaces: Interfaces,
    board: Arc<Board>,
    service: Rc<RefCell<Service>>,
    stop: watch::Sender<bool>,
    streams: JoinSet<Ended>,
    deliveries: JoinSet<()>,
    /// Where packets are written to, if they are.
    recorder: Option<Recorder>,
    recorders: JoinSet<Result<(), RecordError>>,
    /// Tasks that never end.
    servers: JoinSet<()>,
    queues: Vec<Arc<Queue>>,
    /// Whether an interface that has left delivered rows.
    delivered: bool,
    /// Streams that have ended, but are not logged yet.
    ended: Vec<Ended>,
}

impl<'a> Daemon<'a> {
    fn new(settings: &'a Settings) -> Result<Self> {
        let interfaces = Interfaces::open()?;
        let matching = interfaces.names().iter().filter(|name| settings.interfaces.matches(name)).count();
        Ok(Self {
            settings,
            ring: RingSize::choose(settings.budget, matching),
            roster: Roster::new(settings.interfaces.clone()),
            interfaces,
            board: Arc::default(),
            service: Rc::new(RefCell::new(Service::new())),
            stop: watch::channel(false).0,
            streams: JoinSet::new(),
            deliveries: JoinSet::new(),
            servers: JoinSet::new(),
            recorder: None,
            recorders: JoinSet::new(),
            queues: Vec::new(),
            delivered: false,
            ended: Vec::new(),
        })
    }

    async fn serve_metrics(&mut self) -> Result<()> {
        let Some(address) = self.settings.metrics else { return Ok(()) };
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("cannot serve metrics at {address}"))?;
        if !address.ip().is_loopback() {
            log::warn!("metrics are served at {address}, so other hosts can read them");
        }
        self.servers.spawn_local(metrics::serve(listener, Arc::clone(&self.board)));
        Ok(())
    }

    /// Opens the file for packets, if one was asked for.
    fn open_file(&mut self) -> Result<()> {
        let Some(recording) = &self.settings.recording else { return Ok(()) };
        let (recorder, write) = Recorder::open(recording)?;
        self.recorder = Some(recorder);
        self.recorders.spawn_blocking(write);
        Ok(())
    }

    /// Starts the streams of the interfaces that were asked for by their names. Each of them must exist.
    fn start_named(&mut self) -> Result<()> {
        for interface in self.settings.interfaces.names() {
            let index = self.interfaces.find(interface)?;
            self.start(interface, index)?;
        }
        Ok(())
    }

    /// Starts the streams of the interfaces that match a pattern and have none yet.
    fn start_matching(&mut self) {
        if !self.roster.has_patterns() {
            return;
        }
        for (interface, index) in self.roster.joining(&self.interfaces) {
            if let Err(error) = self.start(&interface, index) {
                log::warn!("`{interface}` is left out: {error:#}");
                self.roster.failed(&interface, index);
            }
        }
    }

    fn start(&mut self, interface: &str, index: u32) -> Result<()> {
        let settings = self.settings;
        let (sink, own) = settings.output.open(&settings.origin(interface))?;
        let queue = Arc::new(Queue::new(settings.buffer));
        let capture = Capture::load(interface, index, settings.capture.clone(), self.ring)?;
        let track = self.recorder.as_mut().map(|recorder| recorder.track(interface, capture.link_type()));
        let around = Surroundings {
            queue: Arc::clone(&queue),
            board: Arc::clone(&self.board),
            service: Rc::clone(&self.service),
            own,
            sends_rows: sink.is_some(),
            track,
        };
        let at = Place {
            interface,
            index,
            interfaces: Interfaces::open()?,
            leaves: self.roster.leaves(interface),
        };
        let stream = Stream::start(settings, at, self.ring, capture, around)?;
        self.streams.spawn_local(stream.run(self.stop.subscribe()));
        self.queues.push(Arc::clone(&queue));
        let pace = Pace {
            interval: settings.interval,
            backoff: Backoff::new(Duration::from_millis(500), Duration::from_secs(30)),
        };
        if let Some(mut sink) = sink {
            self.deliveries.spawn_local(async move { deliver(&queue, &mut sink, pace).await });
        }
        self.roster.started(interface);
        Ok(())
    }

    /// Waits for a reason to end.
    async fn watch(&mut self, signals: &mut Signals) -> Result<End> {
        let over = tokio::time::sleep(self.settings.duration.unwrap_or(Duration::MAX));
        tokio::pin!(over);
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                end = signals.next() => return Ok(end),
                () = &mut over => return Ok(End::Asked),
                Some(ended) = self.streams.join_next() => {
                    if let Some(end) = self.stream_ended(ended)? {
                        return Ok(end);
                    }
                }
                // A delivery ends with its stream, but a panic must not go unnoticed.
                Some(ended) = self.deliveries.join_next() => check(ended, "a delivery")?,
                Some(ended) = self.servers.join_next() => {
                    check(ended, "the metrics server")?;
                    bail!("the metrics server has ended");
                }
                // The file cannot be written any more.
                Some(ended) = self.recorders.join_next() => {
                    check(ended, "the file")??;
                    bail!("the file has ended");
                }
                _ = look.tick(), if self.roster.has_patterns() => self.start_matching(),
            }
        }
    }

    fn stream_ended(&mut self, ended: Result<Ended, JoinError>) -> Result<Option<End>> {
        let ended = match ended {
            Ok(Ended { why: Why::Failed(error), interface, .. }) => {
                return Err(error).with_context(|| format!("the stream of `{interface}` failed"));
            }
            Ok(ended) => ended,
            Err(error) => return check(Err(error), "a stream").map(|()| None),
        };
        self.roster.ended(&ended.interface);
        let end = match &ended.why {
            Why::Detached => {
                bail!("somebody else has detached the program from `{}`", ended.interface);
            }
            Why::InterfaceGone => {
                ended.log();
                self.forget_queues();
                return Ok(None);
            }
            // The others finish their first second too.
            Why::Once if !self.streams.is_empty() => None,
            _ => Some(End::Asked),
        };
        self.ended.push(ended);
        Ok(end)
    }

    /// Drops the queues of interfaces that have left, once they are empty.
    fn forget_queues(&mut self) {
        let delivered = &mut self.delivered;
        self.queues.retain(|queue| {
            let counts = queue.deliveries();
            let is_done = queue.is_closed() && counts.waiting == 0;
            *delivered |= is_done && counts.delivered > 0;
            !is_done
        });
    }

    /// Detaches everything, gives the last rows some time, and logs the totals.
    async fn stop(&mut self) -> Result<()> {
        let _ = self.stop.send(true);
        let mut outcome = Ok(());
        while let Some(ended) = self.streams.join_next().await {
            outcome = outcome.and(self.stream_ended(ended).map(drop));
        }
        let (deliveries, recorders) = (&mut self.deliveries, &mut self.recorders);
        // The file ends when nothing can be sent to it any more.
        self.recorder = None;
        let farewell = async {
            let mut outcome = Ok(());
            while let Some(ended) = recorders.join_next().await {
                outcome = outcome.and(check(ended, "the file").and_then(|ended| Ok(ended?)));
            }
            while let Some(ended) = deliveries.join_next().await {
                outcome = outcome.and(check(ended, "a delivery"));
            }
            outcome
        };
        if let Ok(ended) = tokio::time::timeout(FAREWELL, farewell).await {
            outcome = outcome.and(ended);
        } else {
            let waiting: u64 = self.queues.iter().map(|queue| queue.deliveries().waiting).sum();
            log::warn!(
                "the sink did not accept the last rows in time: {waiting} waited, and one push was under way"
            );
        }
        self.ended.iter().for_each(Ended::log);
        outcome
    }

    /// Returns why no row was delivered, if there were rows for the sink and it accepted none of them.
    fn nothing_delivered(&self) -> Option<&'static str> {
        let counts: Vec<_> = self.queues.iter().map(|queue| queue.deliveries()).collect();
        let is_abandoned = self.queues.iter().any(|queue| queue.is_abandoned());
        if self.delivered || is_abandoned || counts.iter().any(|counts| counts.delivered > 0) {
            return None;
        }
        let tried = counts.iter().find(|counts| counts.pushes + counts.waiting + counts.dropped > 0)?;
        Some(match tried.state {
            crate::delivery::SinkState::Starting => "no push has ended",
            crate::delivery::SinkState::Delivering | crate::delivery::SinkState::Unavailable => {
                "the sink is unavailable"
            }
            crate::delivery::SinkState::Unauthorised => "the sink does not accept the token",
            crate::delivery::SinkState::Refusing => "the sink refuses the rows",
        })
    }
}

/// Returns an error if a task has panicked.
fn check<T>(ended: Result<T, JoinError>, task: &str) -> Result<T> {
    ended.map_err(
        |error| if error.is_panic() { anyhow!("{task} panicked") } else { anyhow!("{task} was cancelled") },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Output, Selection};
    use crate::privacy::Privacy;
    use crate::row::Encoding;

    fn settings() -> Settings {
        Settings {
            interfaces: Selection::parse(&["nosuch*".to_owned()]).unwrap(),
            host: "rk1-01".into(),
            output: Output::Stdout(Encoding::Line),
            capture: crate::capture::CaptureOptions::default(),
            exit_on_detach: false,
            budget: 500,
            interval: Duration::from_millis(250),
            recording: None,
            talkers: 0,
            buffer: 8 << 20,
            duration: Some(Duration::from_secs(20)),
            once: false,
            metrics: None,
            privacy: Privacy::default(),
        }
    }

    /// Whichever task panics, the daemon ends with an error, at once.
    #[test]
    fn a_panic_in_any_task_ends_the_daemon_with_an_error() {
        for task in ["a stream", "a delivery", "the metrics server"] {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let settings = settings();
            let outcome = LocalSet::new().block_on(&runtime, async {
                let mut daemon = Daemon::new(&settings).unwrap();
                match task {
                    "a stream" => drop(daemon.streams.spawn_local(async { panic!("on purpose") })),
                    "a delivery" => drop(daemon.deliveries.spawn_local(async { panic!("on purpose") })),
                    _ => drop(daemon.servers.spawn_local(async { panic!("on purpose") })),
                }
                let start = std::time::Instant::now();
                let outcome = daemon.watch(&mut Signals::new().unwrap()).await;
                assert!(start.elapsed() < Duration::from_secs(5));
                outcome
            });
            assert_eq!(outcome.unwrap_err().to_string(), format!("{task} panicked"));
        }
    }
}
