//! What is sent: an image with its seed in place, as a stream that is read twice and never lies on a disk.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// Bytes that are read, hashed and sent at once.
pub(super) const CHUNK: usize = 128 * 1024;

/// Opens the stream from its beginning.
pub type Open = Arc<dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync>;

/// A stream whose length and hash are known.
#[derive(Clone)]
pub struct Payload {
    /// In bytes.
    pub length: u64,
    /// In hexadecimal digits.
    pub sha256: String,
    open: Open,
}

/// How far a pass over a stream has come, told to another thread; and that thread's wish that it end.
#[derive(Debug, Clone, Default)]
pub struct Pass(Arc<PassState>);

#[derive(Debug, Default)]
struct PassState {
    bytes: AtomicU64,
    is_stopped: AtomicBool,
}

impl Pass {
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    pub fn stop(&self) {
        self.0.is_stopped.store(true, Ordering::Relaxed);
    }

    /// Notes that so many bytes more are through.
    pub(super) fn add(&self, count: usize) {
        self.0.bytes.fetch_add(count as u64, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.0.is_stopped.load(Ordering::Relaxed)
    }
}

/// Counts what is read, and fails once the pass is stopped.
#[derive(Debug)]
pub struct Counted<R> {
    stream: R,
    pass: Pass,
}

impl<R> Counted<R> {
    pub fn new(stream: R, pass: Pass) -> Self {
        Self { stream, pass }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.pass.is_stopped() {
            return Err(io::Error::other("stopped"));
        }
        let count = self.stream.read(buffer)?;
        self.pass.add(count);
        Ok(count)
    }
}

impl Payload {
    /// Reads the stream to its end, for its length and its hash.
    pub fn measure(open: Open, pass: Pass) -> io::Result<Self> {
        let mut stream = Counted::new(open()?, pass);
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

    /// The stream from its beginning.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        (self.open)()
    }
}

/// Without the stream, which holds secrets.
impl fmt::Debug for Payload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Payload")
            .field("length", &self.length)
            .field("sha256", &self.sha256)
            .finish_non_exhaustive()
    }
}
