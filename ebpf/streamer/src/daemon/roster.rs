//! Which interfaces have a stream: interfaces that match a pattern join and leave while the daemon runs.

use crate::capture::Interfaces;
use crate::command::Selection;
use std::collections::{HashMap, HashSet};

/// The interfaces that have a stream, and those for which one could not be started.
#[derive(Debug)]
pub(super) struct Roster {
    selection: Selection,
    streaming: HashSet<String>,
    /// Interfaces without a stream, with the index for which starting one failed. They are not tried again before they
    /// have another index.
    failed: HashMap<String, u32>,
}

impl Roster {
    pub(super) fn new(selection: Selection) -> Self {
        Self { selection, streaming: HashSet::new(), failed: HashMap::new() }
    }

    /// Returns whether interfaces may join later.
    pub(super) fn has_patterns(&self) -> bool {
        self.selection.has_patterns()
    }

    /// Returns whether the stream of this interface ends when the interface disappears. An interface that was asked for by
    /// its name is waited for instead.
    pub(super) fn leaves(&self, interface: &str) -> bool {
        !self.selection.names().any(|name| name == interface)
    }

    /// Returns the interfaces that match a pattern and need a stream, with their indexes.
    pub(super) fn joining(&mut self, interfaces: &Interfaces) -> Vec<(String, u32)> {
        let present: HashMap<String, u32> = interfaces
            .names()
            .into_iter()
            .filter(|name| self.selection.matches(name))
            .filter_map(|name| interfaces.index(&name).map(|index| (name, index)))
            .collect();
        self.failed.retain(|name, index| present.get(name) == Some(index));
        let mut joining: Vec<(String, u32)> = present
            .into_iter()
            .filter(|(name, _)| !self.streaming.contains(name) && !self.failed.contains_key(name))
            .collect();
        joining.sort_unstable();
        joining
    }

    pub(super) fn started(&mut self, interface: &str) {
        self.streaming.insert(interface.to_owned());
    }

    pub(super) fn failed(&mut self, interface: &str, index: u32) {
        self.failed.insert(interface.to_owned(), index);
    }

    pub(super) fn ended(&mut self, interface: &str) {
        self.streaming.remove(interface);
    }
}
