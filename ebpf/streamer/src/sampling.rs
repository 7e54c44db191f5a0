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
    second: Traffic,
}

/// Packets and the time in which they came.
#[derive(Debug, Clone, Copy, Default)]
struct Traffic {
    packets: u64,
    elapsed: Duration,
}

/// After so long the traffic is judged as a whole, and the ratio may fall.
const SECOND: Duration = Duration::from_secs(1);

impl Traffic {
    fn per_second(self) -> u128 {
        u128::from(self.packets) * SECOND.as_nanos() / self.elapsed.as_nanos().max(1)
    }

    /// As if it were a whole second's, unless it is much for a part of one: a few packets at once do not look like a
    /// flood.
    fn at_least_per_second(self, budget: u128) -> u128 {
        let packets = u128::from(self.packets);
        if packets * 4 <= budget { packets } else { self.per_second() }
    }
}

impl Budget {
    /// A budget of 0 shows no packets at all.
    #[must_use]
    pub fn new(rows_per_second: u32) -> Self {
        Self { rows_per_second, ratio: u32::from(rows_per_second > 0), second: Traffic::default() }
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
        self.second.packets += packets;
        self.second.elapsed += elapsed;
        let budget = u128::from(self.rows_per_second);
        let is_whole = self.second.elapsed >= SECOND;
        // What came since the last look, for a flood that begins; what came in this second, for one that goes on.
        let now = Traffic { packets, elapsed }.at_least_per_second(budget);
        let lately =
            if is_whole { self.second.per_second() } else { self.second.at_least_per_second(budget) };
        let wanted = u32::try_from(now.max(lately).div_ceil(budget)).unwrap_or(u32::MAX).max(1);
        let before = self.ratio;
        if wanted > before {
            self.ratio = wanted;
        } else if is_whole {
            self.ratio = wanted.max(before / 2);
        }
        if is_whole {
            self.second = Traffic::default();
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

    /// Also at rates of which one look sees few packets.
    #[test]
    fn every_steady_rate_keeps_the_budget() {
        for per_second in [510, 600, 1000, 3500, 6250, 6300, 20_000, 1_000_000] {
            let mut budget = Budget::new(500);
            let mut packets = 0;
            let mut seconds = Vec::new();
            for _ in 0..10 {
                let mut shown = 0.0;
                for _ in 0..50 {
                    packets += per_second;
                    let came = packets / 50;
                    packets %= 50;
                    shown += f64::from(u32::try_from(came).unwrap()) / f64::from(budget.ratio());
                    budget.observe(came, TICK);
                }
                seconds.push(shown);
            }
            // The first second has what came before the first look, and then the budget.
            let first_look = f64::from(u32::try_from(per_second / 50).unwrap());
            assert!(seconds[0] <= 500.0 + 2.0 * first_look.max(125.0), "{per_second}: {seconds:?}");
            assert!(
                seconds[1..].iter().all(|shown| (200.0..=500.0).contains(shown)),
                "{per_second}: {seconds:?}"
            );
        }
    }

    #[test]
    fn a_budget_of_nothing_shows_nothing() {
        let mut budget = Budget::new(0);
        assert_eq!((budget.ratio(), budget.observe(1000, TICK)), (0, None));
    }
}
