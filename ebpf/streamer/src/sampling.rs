//! How many packets are shown: the ratio that keeps `packet_details` within its budget.

use std::time::Duration;

/// Rows a second that may be shown, and the ratio that the kernel is to use for that.
///
/// The ratio rises at once when the traffic does and falls by half a second, so that traffic in bursts does not
/// overrun the budget at the start of each.
#[derive(Debug)]
pub struct Budget {
    rows_per_second: u32,
    ratio: u32,
    since_fall: Duration,
}

const FALL_EVERY: Duration = Duration::from_secs(1);

impl Budget {
    /// A budget of 0 shows no packets at all.
    #[must_use]
    pub fn new(rows_per_second: u32) -> Self {
        Self { rows_per_second, ratio: u32::from(rows_per_second > 0), since_fall: Duration::ZERO }
    }

    /// One packet in this many is to be shown; 0 for none.
    #[must_use]
    pub fn ratio(&self) -> u32 {
        self.ratio
    }

    /// Learns that `packets` that may be shown arrived in `elapsed`, and returns the new ratio if it changes.
    pub fn observe(&mut self, packets: u64, elapsed: Duration) -> Option<u32> {
        if self.rows_per_second == 0 || elapsed.is_zero() {
            return None;
        }
        self.since_fall += elapsed;
        // A fraction of a second is judged as if it were a whole one while it is within the budget, so that
        // a few packets at once do not look like a flood.
        let budget = u128::from(self.rows_per_second);
        let per_second = if u128::from(packets) * 4 <= budget {
            u128::from(packets)
        } else {
            u128::from(packets) * 1_000_000_000 / elapsed.as_nanos()
        };
        let wanted = u32::try_from(per_second.div_ceil(budget)).unwrap_or(u32::MAX).max(1);
        let before = self.ratio;
        if wanted > self.ratio {
            self.ratio = wanted;
            self.since_fall = Duration::ZERO;
        } else if self.since_fall >= FALL_EVERY {
            self.ratio = wanted.max(self.ratio / 2);
            self.since_fall = Duration::ZERO;
        }
        (self.ratio != before).then_some(self.ratio)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(20);

    #[test]
    fn all_is_shown_within_the_budget() {
        let mut budget = Budget::new(500);
        assert_eq!((0..100).find_map(|_| budget.observe(10, TICK)), None);
        assert_eq!(budget.ratio(), 1);
    }

    #[test]
    fn a_flood_raises_the_ratio_at_once_and_it_falls_slowly() {
        let mut budget = Budget::new(500);
        assert_eq!(budget.observe(4000, TICK), Some(400));
        let falls: Vec<u32> = (0..200).filter_map(|_| budget.observe(0, TICK)).collect();
        assert_eq!(falls, [200, 100, 50, 25]);
    }

    #[test]
    fn shown_rows_stay_at_the_budget_under_steady_load() {
        let mut budget = Budget::new(500);
        budget.observe(4000, TICK);
        for _ in 0..500 {
            budget.observe(4000, TICK);
        }
        assert_eq!(200_000 / budget.ratio(), 500);
    }

    #[test]
    fn a_budget_of_nothing_shows_nothing() {
        let mut budget = Budget::new(0);
        assert_eq!((budget.ratio(), budget.observe(1000, TICK)), (0, None));
    }
}
