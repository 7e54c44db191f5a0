//! The wait after a failed push.

use std::time::Duration;

/// Exponential backoff with jitter: each wait is drawn from the upper half of a range that doubles.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    range: Duration,
}

impl Backoff {
    #[must_use]
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, range: first }
    }

    pub fn reset(&mut self) {
        self.range = self.first;
    }

    /// Returns the next wait: at least half of the first, at most the longest.
    pub fn next_wait(&mut self) -> Duration {
        let range = self.range;
        self.range = (range * 2).min(self.longest);
        range.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(4));
        for range in [0.5, 1.0, 2.0, 4.0, 4.0] {
            let wait = backoff.next_wait().as_secs_f64();
            assert!((range / 2.0..=range).contains(&wait), "{wait} of {range}");
        }
        backoff.reset();
        assert!(backoff.next_wait() <= Duration::from_millis(500));
    }
}
