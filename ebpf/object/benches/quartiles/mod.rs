//! Median and quartiles of repeated measurements.

use std::fmt;

use anyhow::{Context, Result};

/// Quartiles of the nanoseconds per packet.
pub(crate) struct Quartiles {
    pub(crate) first: i32,
    pub(crate) median: i32,
    pub(crate) third: i32,
}

impl Quartiles {
    /// Returns the quartiles of at least one measurement.
    pub(crate) fn of(mut costs: Vec<u64>) -> Result<Self> {
        costs.sort_unstable();
        let last = costs.len().checked_sub(1).context("no measurement")?;
        let at = |quarters: usize| i32::try_from(costs[last * quarters / 4]);
        Ok(Self { first: at(1)?, median: at(2)?, third: at(3)? })
    }

    /// Returns the difference to `base`, quartile by quartile.
    pub(crate) fn over(&self, base: &Self) -> Self {
        Self {
            first: self.first - base.first,
            median: self.median - base.median,
            third: self.third - base.third,
        }
    }
}

impl fmt::Display for Quartiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} ({}-{})", self.median, self.first, self.third))
    }
}
