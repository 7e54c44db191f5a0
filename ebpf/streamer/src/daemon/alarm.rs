//! A timer that wakes the process once.
//!
//! Tokio's own timers wake it a second time, to move a far timer between the levels of their wheel: a sleep of 500 ms, as of
//! an idle daemon, takes 2.05 wake-ups with tokio 1 and 1.00 with this timer (voluntary context switches, mean of 40
//! sleeps). An idle daemon wakes 3 times a second in all (`cargo bench -p xdp-streamer --bench end_to_end`).

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A timer of the kernel.
#[derive(Debug)]
pub(super) struct Alarm(AsyncFd<OwnedFd>);

impl Alarm {
    /// Creates a timer. Works inside a runtime only.
    pub(super) fn new() -> io::Result<Self> {
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        // SAFETY: an `OwnedFd` keeps its descriptor open as long as it lives.
        let registered = unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) };
        Ok(Self(registered.map_err(io::Error::other)?))
    }

    /// Returns after `time`.
    pub(super) async fn sleep(&self, time: Duration) -> io::Result<()> {
        const NOTHING: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
        // The kernel takes a time of zero for switching the timer off.
        let time = time.max(Duration::from_nanos(1));
        let once = Itimerspec {
            it_interval: NOTHING,
            it_value: Timespec::try_from(time).map_err(io::Error::other)?,
        };
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once)?;
        self.0.async_io(Interest::READABLE, |timer| Ok(rustix::io::read(timer, &mut [0; 8])?)).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn it_can_be_set_again_and_again() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let alarm = Alarm::new().unwrap();
            for milliseconds in [30, 0, 5] {
                let (start, time) = (Instant::now(), Duration::from_millis(milliseconds));
                alarm.sleep(time).await.unwrap();
                assert!(start.elapsed() >= time, "{:?} of {time:?}", start.elapsed());
            }
        });
    }
}
