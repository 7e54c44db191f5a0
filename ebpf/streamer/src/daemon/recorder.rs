//! Packets in pcapng files, written on a thread of its own: a slow disk costs packets in the file, not the daemon's time.

use crate::capture::LinkType;
use crate::clock;
use crate::command::{Recording, Rotation};
use crate::pcapng;
use crate::row::UnixNanos;
use packet_record::CaptureHead;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

/// The most parts that wait for the disk. With [`MOST_PART`] that is 16 MiB.
const MOST_WAITING: usize = 32;

/// A part is sent to the thread when it has this many bytes, or at the end of a look at the buffers.
const MOST_PART: usize = 512 << 10;

/// How long a part may wait in the file's buffer, so that `tail` and tshark see packets soon.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`", path.display())]
pub(super) struct RecordError {
    path: PathBuf,
    source: io::Error,
}

/// What the thread is told.
enum Message {
    /// A new interface: its description.
    Interface(Vec<u8>),
    /// Packets, and how many they are.
    Packets(Vec<u8>),
    /// The last totals of an interface, for the end of the file.
    Statistics { interface: u32, received: u64, dropped: u64 },
}

/// Where streams send their packets.
#[derive(Debug)]
pub(super) struct Recorder {
    sender: SyncSender<Message>,
    snaplen: u32,
    interfaces: u32,
}

/// The packets of one interface on their way to the file.
#[derive(Debug)]
pub(super) struct Track {
    sender: SyncSender<Message>,
    interface: u32,
    snaplen: u32,
    /// Blocks of this look, with the time of their packets: CPUs are read one after the other.
    blocks: Vec<u8>,
    order: Vec<(u64, std::ops::Range<usize>)>,
    /// Packets that are not in the file, because a buffer or the disk was full.
    missing: u64,
}

impl Recorder {
    /// Opens the first file, and returns with the recorder the loop that writes, which ends after the recorder and its
    /// tracks.
    pub(super) fn open(
        settings: &Recording,
    ) -> Result<(Self, impl FnOnce() -> Result<(), RecordError> + Send + use<>), RecordError> {
        let (sender, receiver) = sync_channel(MOST_WAITING);
        let mut files = Files::open(settings.clone())?;
        let recorder = Self { sender, snaplen: settings.snaplen, interfaces: 0 };
        Ok((recorder, move || files.write(&receiver)))
    }

    /// Describes an interface in the file.
    pub(super) fn track(&mut self, interface: &str, link: LinkType) -> Track {
        let mut description = Vec::new();
        pcapng::interface(&mut description, interface, link, self.snaplen);
        // Fails only if the thread has failed, which the daemon notices by itself.
        let _ = self.sender.send(Message::Interface(description));
        self.interfaces += 1;
        Track {
            sender: self.sender.clone(),
            interface: self.interfaces - 1,
            snaplen: self.snaplen,
            blocks: Vec::new(),
            order: Vec::new(),
            missing: 0,
        }
    }
}

impl Track {
    /// Adds a packet of this look.
    pub(super) fn add(&mut self, unix: UnixNanos, head: &CaptureHead, bytes: &[u8]) {
        let start = self.blocks.len();
        pcapng::packet(&mut self.blocks, self.interface, self.snaplen, unix, head, bytes);
        self.order.push((head.time, start..self.blocks.len()));
    }

    /// Notes packets that were lost before they came here.
    pub(super) fn lost(&mut self, packets: u64) {
        self.missing += packets;
    }

    pub(super) fn missing(&self) -> u64 {
        self.missing
    }

    /// Sends the packets of this look to the file, in the order of their times.
    pub(super) fn flush(&mut self) {
        if self.order.is_empty() {
            return;
        }
        self.order.sort_by_key(|(time, _)| *time);
        let mut part = Vec::with_capacity(self.blocks.len().min(MOST_PART));
        let mut packets = 0;
        for (at, (_, range)) in self.order.iter().enumerate() {
            part.extend_from_slice(self.blocks.get(range.clone()).unwrap_or_default());
            packets += 1;
            if part.len() >= MOST_PART || at + 1 == self.order.len() {
                let sent = self.sender.try_send(Message::Packets(std::mem::take(&mut part)));
                if matches!(sent, Err(TrySendError::Full(_))) {
                    self.missing += packets;
                }
                packets = 0;
            }
        }
        self.order.clear();
        self.blocks.clear();
    }

    /// Ends the track with the totals of its interface.
    pub(super) fn end(self, received: u64, lost: u64) {
        let Self { sender, interface, missing, .. } = self;
        let _ = sender.send(Message::Statistics { interface, received, dropped: missing + lost });
    }
}

/// The files, one after the other.
struct Files {
    settings: Recording,
    file: io::BufWriter<Box<dyn io::Write + Send>>,
    path: PathBuf,
    started: Instant,
    bytes: u64,
    /// The descriptions of all interfaces, which each file begins with.
    descriptions: Vec<u8>,
    statistics: Vec<(u32, u64, u64)>,
    /// Files that this process has written, the oldest first.
    written: VecDeque<PathBuf>,
}

impl Files {
    fn open(settings: Recording) -> Result<Self, RecordError> {
        let path = name(&settings, clock::unix_now());
        let mut files = Self {
            file: io::BufWriter::new(create(&path)?),
            written: VecDeque::from([path.clone()]),
            path,
            settings,
            started: Instant::now(),
            bytes: 0,
            descriptions: Vec::new(),
            statistics: Vec::new(),
        };
        files.begin()?;
        Ok(files)
    }

    /// Writes until all senders are gone.
    fn write(&mut self, receiver: &Receiver<Message>) -> Result<(), RecordError> {
        let mut flushed = Instant::now();
        loop {
            match receiver.recv_timeout(FLUSH_EVERY) {
                Ok(Message::Interface(description)) => {
                    self.put(&description)?;
                    self.descriptions.extend(description);
                }
                Ok(Message::Packets(part)) => {
                    if self.is_full() {
                        self.rotate()?;
                    }
                    self.put(&part)?;
                }
                Ok(Message::Statistics { interface, received, dropped }) => {
                    self.statistics.push((interface, received, dropped));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if flushed.elapsed() >= FLUSH_EVERY {
                self.flush()?;
                flushed = Instant::now();
            }
        }
        let mut end = Vec::new();
        for (interface, received, dropped) in self.statistics.drain(..) {
            pcapng::statistics(&mut end, interface, clock::unix_now(), received, dropped);
        }
        self.put(&end)?;
        self.flush()
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), RecordError> {
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|source| RecordError { path: self.path.clone(), source })
    }

    fn flush(&mut self) -> Result<(), RecordError> {
        self.file.flush().map_err(|source| RecordError { path: self.path.clone(), source })
    }

    fn begin(&mut self) -> Result<(), RecordError> {
        let mut start = Vec::new();
        pcapng::section(&mut start);
        start.extend_from_slice(&self.descriptions);
        self.put(&start)
    }

    fn is_full(&self) -> bool {
        match self.settings.rotation {
            None => false,
            Some(Rotation::Size(bytes)) => self.bytes >= bytes,
            Some(Rotation::Time(time)) => self.started.elapsed() >= time,
        }
    }

    fn rotate(&mut self) -> Result<(), RecordError> {
        self.flush()?;
        self.path = name(&self.settings, clock::unix_now());
        self.file = io::BufWriter::new(create(&self.path)?);
        self.started = Instant::now();
        self.bytes = 0;
        self.written.push_back(self.path.clone());
        while self.settings.keep.is_some_and(|keep| self.written.len() > keep) {
            let Some(oldest) = self.written.pop_front() else { break };
            if let Err(error) = std::fs::remove_file(&oldest) {
                log::warn!("cannot remove `{}`: {error}", oldest.display());
            }
        }
        self.begin()
    }
}

/// Opens a file that only its owner can read, because it holds everybody's packets. `-` is standard output.
fn create(path: &Path) -> Result<Box<dyn io::Write + Send>, RecordError> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdout()));
    }
    let opened: io::Result<File> =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    match opened {
        Ok(file) => Ok(Box::new(file)),
        Err(source) => Err(RecordError { path: path.to_owned(), source }),
    }
}

/// Returns the name of the next file: the one that was asked for, or with rotation one with the time in its name, such as
/// `packets-20240524T170405.123Z.pcapng`.
fn name(settings: &Recording, now: UnixNanos) -> PathBuf {
    if settings.rotation.is_none() {
        return settings.path.clone();
    }
    let part = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let (stem, extension) = (part(settings.path.file_stem()), part(settings.path.extension()));
    let dot = if extension.is_empty() { "" } else { "." };
    settings.path.with_file_name(format!("{stem}-{}{dot}{extension}", stamp(now)))
}

/// Returns a time in UTC as `20240524T170405.123Z` (ISO 8601, basic format).
fn stamp(now: UnixNanos) -> String {
    let milliseconds = now.div_euclid(1_000_000);
    let (days, within) = (milliseconds.div_euclid(86_400_000), milliseconds.rem_euclid(86_400_000));
    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March, in eras of 400 years.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!(
        "{year:04}{month:02}{day:02}T{:02}{:02}{:02}.{:03}Z",
        within / 3_600_000,
        within / 60_000 % 60,
        within / 1000 % 60,
        within % 1000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_names_are_utc() {
        for (seconds, expected) in [
            (0, "19700101T000000.000Z"),
            (951_782_399, "20000228T235959.000Z"),
            (951_782_400, "20000229T000000.000Z"),
            (1_716_570_245, "20240524T170405.000Z"),
            (4_107_542_399, "21000228T235959.000Z"),
            (4_107_542_400, "21000301T000000.000Z"),
        ] {
            assert_eq!(stamp(seconds * 1_000_000_000), expected);
        }
    }

    #[test]
    fn rotated_files_keep_their_extension() {
        let settings =
            |path: &str, rotation| Recording { path: path.into(), snaplen: 96, rotation, keep: None };
        let rotation = Some(Rotation::Size(1));
        for (path, expected) in [
            ("/tmp/a.b/packets.pcapng", "/tmp/a.b/packets-20240524T170405.067Z.pcapng"),
            ("packets", "packets-20240524T170405.067Z"),
        ] {
            assert_eq!(name(&settings(path, rotation), 1_716_570_245_067_999_999), PathBuf::from(expected));
            assert_eq!(name(&settings(path, None), 0), PathBuf::from(path));
        }
    }
}
