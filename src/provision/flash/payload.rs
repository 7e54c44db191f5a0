//! The bytes that are sent: an image with its seed, as a stream that is read twice and never written to a disk.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// The number of bytes that are read, hashed and sent at once.
pub(super) const CHUNK: usize = 128 * 1024;

/// Opens the stream from its beginning.
pub(super) type Open = Arc<dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync>;

/// A stream whose length and digest are known.
#[derive(Clone)]
pub(super) struct Payload {
    /// The length in bytes.
    pub length: u64,
    /// The digest in hexadecimal digits.
    pub sha256: String,
    open: Open,
}

/// How far a thread has read a stream. Another thread can read the count, and can stop the reading.
#[derive(Debug, Clone, Default)]
pub(super) struct ReadProgress(Arc<ReadProgressState>);

#[derive(Debug, Default)]
struct ReadProgressState {
    bytes: AtomicU64,
    is_stopped: AtomicBool,
}

impl ReadProgress {
    /// Returns the number of bytes that were read.
    #[must_use]
    pub(super) fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Makes the next read fail.
    pub(super) fn stop(&self) {
        self.0.is_stopped.store(true, Ordering::Relaxed);
    }

    /// Adds to the count.
    pub(super) fn add(&self, count: usize) {
        self.0.bytes.fetch_add(count as u64, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.0.is_stopped.load(Ordering::Relaxed)
    }
}

/// A stream that counts the bytes read from it, and fails once its reading is stopped.
#[derive(Debug)]
pub(super) struct Counted<R> {
    stream: R,
    progress: ReadProgress,
}

impl<R> Counted<R> {
    pub(super) fn new(stream: R, progress: ReadProgress) -> Self {
        Self { stream, progress }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.progress.is_stopped() {
            return Err(io::Error::other("stopped"));
        }
        let count = self.stream.read(buffer)?;
        self.progress.add(count);
        Ok(count)
    }
}

impl Payload {
    /// Reads the stream to its end and computes its length and digest.
    pub(super) fn measure(open: Open, progress: ReadProgress) -> io::Result<Self> {
        let mut stream = Counted::new(open()?, progress);
        let mut hash = Sha256::new();
        let mut length = 0;
        let mut chunk = zeroize::Zeroizing::new(vec![0; CHUNK]);
        loop {
            match stream.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => {
                    hash.update(chunk.get(..count).unwrap_or_default());
                    length += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self { length, sha256: HEXLOWER.encode(&hash.finalize()), open })
    }

    /// Opens the stream at its beginning.
    pub(super) fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        (self.open)()
    }
}

/// Leaves out the stream, which holds secrets.
impl fmt::Debug for Payload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Payload")
            .field("length", &self.length)
            .field("sha256", &self.sha256)
            .finish_non_exhaustive()
    }
}
