//! Runs a program whose answer has a bound on its size and a time limit.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The time between two looks at a running program.
const POLL: Duration = Duration::from_millis(2);
/// The time that the output of an ended program may take to arrive. A process that it left behind may hold it open for ever.
const GRACE: Duration = Duration::from_millis(500);

/// The largest buffer that is reserved at once, in bytes: more than any secret takes.
const FIRST_BUFFER: u64 = 64 * 1024;

/// How much of a program is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) time: Duration,
    /// Bytes, of standard output and of standard error each.
    pub(crate) size: u64,
}

/// What a program printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum BoundedError {
    #[error(transparent)]
    NotRun(io::Error),
    #[error("it did not end within {} s", .0.as_secs())]
    Late(Duration),
    #[error("it printed more than {0} bytes")]
    TooLong(u64),
}

/// Runs a program until it ends. It is killed when it exceeds a bound.
pub(crate) fn run(command: &mut Command, bounds: Bounds) -> Result<Printed, BoundedError> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(BoundedError::NotRun)?;
    let (stdout, stderr) = (read(child.stdout.take(), bounds.size), read(child.stderr.take(), bounds.size));
    let status = wait(&mut child, bounds.time)?;
    let (stdout, stderr) = (collect(&stdout, bounds)?, collect(&stderr, bounds)?);
    Ok(Printed { status, stdout, stderr })
}

fn wait(child: &mut Child, limit: Duration) -> Result<ExitStatus, BoundedError> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(BoundedError::NotRun)? {
            return Ok(status);
        }
        if began.elapsed() >= limit {
            child.kill().and_then(|()| child.wait()).map_err(BoundedError::NotRun)?;
            return Err(BoundedError::Late(limit));
        }
        thread::sleep(POLL);
    }
}

/// Reads a stream in a thread of its own. A program that prints more than `size` bytes finds its stream closed.
fn read(stream: Option<impl Read + Send + 'static>, size: u64) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = channel();
    if let Some(stream) = stream {
        thread::spawn(move || {
            // All at once for what may be a secret: a vector that grows would leave copies behind.
            let mut bytes =
                Vec::with_capacity(usize::try_from(size.min(FIRST_BUFFER)).unwrap_or_default() + 1);
            let read = stream.take(size + 1).read_to_end(&mut bytes);
            // The receiver is gone if the program was late.
            let _ = sender.send(read.map(|_| bytes));
        });
    }
    receiver
}

fn collect(receiver: &Receiver<io::Result<Vec<u8>>>, bounds: Bounds) -> Result<Vec<u8>, BoundedError> {
    let bytes = receiver.recv_timeout(GRACE).map_err(|_| BoundedError::Late(bounds.time))?;
    let bytes = bytes.map_err(BoundedError::NotRun)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= bounds.size) {
        Ok(bytes)
    } else {
        Err(BoundedError::TooLong(bounds.size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<Printed, BoundedError> {
        let bounds = Bounds { time: Duration::from_millis(700), size: 1000 };
        run(Command::new("sh").args(["-c", script]), bounds)
    }

    #[test]
    fn a_program_is_held_to_its_bounds() {
        let printed = shell("echo one; echo two >&2; exit 3").expect("an answer");
        assert_eq!(
            (printed.status.code(), printed.stdout, printed.stderr),
            (Some(3), b"one\n".into(), b"two\n".into())
        );
        let began = Instant::now();
        assert!(matches!(shell("exec sleep 10"), Err(BoundedError::Late(_))));
        assert!(matches!(shell("exec yes"), Err(BoundedError::TooLong(1000))));
        assert!(matches!(shell("yes >&2; exit 0"), Err(BoundedError::TooLong(1000))));
        // What is left behind holds the stream open.
        assert!(matches!(shell("sleep 3 & exit 0"), Err(BoundedError::Late(_))));
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    }
}
