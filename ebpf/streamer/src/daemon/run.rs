//! `xdp-streamer run`.

use super::board::Board;
use super::metrics;
use super::service::Service;
use super::stream::{Stream, StreamError, Surroundings};
use crate::capture::{Capture, Interfaces};
use crate::command::Settings;
use crate::delivery::{Backoff, Pace, Queue, deliver};
use anyhow::{Context as _, Result};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet};

/// How long rows may still go out after everything is detached; the whole stop takes less than 2 s.
const FAREWELL: Duration = Duration::from_millis(1500);

/// The most rows of one push: about 600 KB of line protocol, well below what a proxy or a browser tab minds.
const MOST_ROWS: usize = 1000;

/// Streams until a signal, the duration's end, or the sink's.
pub fn run(settings: &Settings) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = LocalSet::new().block_on(&runtime, stream(settings));
    // A name that is being resolved, or a pipe nobody reads, must not hold us.
    runtime.shutdown_background();
    outcome
}

async fn stream(settings: &Settings) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let board = Arc::new(Board::default());
    let service = Rc::new(RefCell::new(Service::new()));
    let (stop, stopped) = watch::channel(false);
    let mut streams = JoinSet::new();
    let mut deliveries = JoinSet::new();
    let mut queues = Vec::new();

    if let Some(address) = settings.metrics {
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("cannot serve metrics at {address}"))?;
        if !address.ip().is_loopback() {
            log::warn!("metrics are served at {address}, beyond this host");
        }
        tokio::task::spawn_local(metrics::serve(listener, Arc::clone(&board)));
    }
    let mut ready = Vec::new();
    for interface in &settings.interfaces {
        let interfaces = Interfaces::open()?;
        let index = interfaces.find(interface)?;
        let (sink, own) = settings.output.open(&settings.origin(interface))?;
        let queue = Arc::new(Queue::new(settings.buffer));
        let around = Surroundings {
            queue: Arc::clone(&queue),
            board: Arc::clone(&board),
            service: Rc::clone(&service),
            own,
        };
        let capture = Capture::load(settings.hook, settings.talkers > 0)?;
        let stream = Stream::start(settings, interface, capture, index, interfaces, around)?;
        ready.push((stream, sink, queue));
    }
    for (stream, mut sink, queue) in ready {
        queues.push(Arc::clone(&queue));
        streams.spawn_local(stream.run(stopped.clone()));
        let pace = Pace {
            interval: settings.interval,
            most_rows: MOST_ROWS,
            backoff: Backoff::new(Duration::from_millis(500), Duration::from_secs(30)),
        };
        deliveries.spawn_local(async move { deliver(&queue, &mut sink, pace).await });
    }
    Service::ready();

    let end = settings.duration.unwrap_or(Duration::MAX);
    let mut outcome = tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        () = tokio::time::sleep(end) => Ok(()),
        // With --once, or because nobody reads any more.
        Some(ended) = streams.join_next() => flatten(ended),
    };
    Service::stopping();
    let _ = stop.send(true);
    while let Some(ended) = streams.join_next().await {
        outcome = outcome.and(flatten(ended));
    }
    let farewell = async { while deliveries.join_next().await.is_some() {} };
    if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
        let waiting: u64 = queues.iter().map(|queue| queue.deliveries().waiting).sum();
        log::warn!("the sink did not take the last rows in time ({waiting} waited, one batch was under way)");
    }
    outcome
}

fn flatten(ended: Result<Result<(), StreamError>, tokio::task::JoinError>) -> Result<()> {
    Ok(ended.context("a stream broke off")??)
}
