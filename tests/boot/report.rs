//! What a machine has reported, and whether that is what it should.

use std::path::{Path, PathBuf};

pub(crate) struct Report {
    name: String,
    console: PathBuf,
    lines: Vec<String>,
}

impl Report {
    pub(crate) fn new(name: &str, console: &Path, lines: Vec<String>) -> Self {
        Self { name: name.to_owned(), console: console.to_owned(), lines }
    }

    /// Returns an error with everything that was reported.
    pub(crate) fn with(&self, why: &str) -> String {
        let lines = self.lines.join("\n");
        format!("{}: {why}\n{lines}\nthe whole console: {}", self.name, self.console.display())
    }

    /// Checks that each of these lines was reported.
    pub(crate) fn has(&self, expected: &[&str]) -> Result<(), String> {
        let is_missing = |line: &&&str| !self.lines.iter().any(|reported| reported == **line);
        let missing: Vec<_> = expected.iter().filter(is_missing).collect();
        if missing.is_empty() { Ok(()) } else { Err(self.with(&format!("not reported: {missing:?}"))) }
    }

    /// Checks that no line begins like one of these.
    pub(crate) fn lacks(&self, unexpected: &[&str]) -> Result<(), String> {
        let begins = |line: &&String| unexpected.iter().any(|start| line.starts_with(start));
        match self.lines.iter().find(begins) {
            None => Ok(()),
            Some(line) => Err(self.with(&format!("reported: {line}"))),
        }
    }

    /// Checks that no unit has failed but these.
    pub(crate) fn failed_units(&self, expected: &[&str]) -> Result<(), String> {
        let failed = self.lines.iter().filter_map(|line| line.strip_prefix("failed "));
        let others: Vec<_> = failed.filter(|unit| !expected.contains(unit)).collect();
        if others.is_empty() { Ok(()) } else { Err(self.with(&format!("failed: {others:?}"))) }
    }

    /// Checks that a unit ran and ended without an error.
    pub(crate) fn succeeded(&self, unit: &str) -> Result<(), String> {
        let (status, began, _) = self.times(unit)?;
        if status == 0 && began > 0 { Ok(()) } else { Err(self.with(&format!("{unit} has not succeeded"))) }
    }

    /// Checks that each of these units ended, or was ready, before the next one began.
    pub(crate) fn in_order(&self, units: &[&str]) -> Result<(), String> {
        for pair in units.windows(2) {
            let (_, _, ready) = self.times(pair[0])?;
            let (_, began, _) = self.times(pair[1])?;
            if ready == 0 || began < ready {
                return Err(self.with(&format!("{} is not before {}", pair[0], pair[1])));
            }
        }
        Ok(())
    }

    /// Returns the exit status of a unit's program and the microseconds when it began and when the unit was up.
    fn times(&self, unit: &str) -> Result<(i64, u64, u64), String> {
        let start = format!("unit {unit} ");
        let line = self.lines.iter().find_map(|line| line.strip_prefix(&start));
        let numbers: Vec<&str> = line.unwrap_or_default().split(' ').collect();
        match numbers[..] {
            [status, began, up] => {
                Ok((status.parse().unwrap_or(-1), began.parse().unwrap_or(0), up.parse().unwrap_or(0)))
            }
            _ => Err(self.with(&format!("nothing is reported of {unit}"))),
        }
    }

    pub(crate) fn number(&self, name: &str) -> Result<u64, String> {
        let line = self.lines.iter().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|rest| rest.trim().parse().ok());
        number.ok_or_else(|| self.with(&format!("{name} is not reported")))
    }
}
