//! The program on its interface, which may disappear and come back.

use crate::capture::{AttachError, Capture, Interfaces};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Attachment {
    pub(super) capture: Capture,
    interfaces: Interfaces,
    interface: String,
    /// The interface's index while the program is on it.
    index: Option<u32>,
    /// The last warning about not being attached.
    complaint: String,
    /// When the program was last found detached by somebody else.
    detached: Option<Instant>,
}

/// Somebody else who detaches the program again and again is reported as often as this.
const REPORT_DETACHED_EVERY: Duration = Duration::from_mins(1);

impl Attachment {
    /// Attaches a loaded program to an interface that is there.
    pub(super) fn start(
        mut capture: Capture,
        interfaces: Interfaces,
        interface: &str,
        index: u32,
    ) -> Result<Self, AttachError> {
        let mode = capture.attach(interface, index)?;
        log::info!("`{interface}`: attached in {mode} mode: {}", capture.reason());
        Ok(Self {
            capture,
            interfaces,
            interface: interface.to_owned(),
            index: Some(index),
            complaint: String::new(),
            detached: None,
        })
    }

    /// Asks the links what they are attached to, and attaches again where the program is not attached any more: after
    /// somebody else has detached it, or when an interface is back. Returns whether it is attached.
    pub(super) fn follow(&mut self) -> bool {
        let name = &self.interface;
        let index = self.interfaces.index(name);
        if index == self.index && (index.is_none() || self.capture.attached_to() == index) {
            return index.is_some();
        }
        let before = self.index.take();
        let is_detached = before.is_some() && before == index;
        let mut is_news = true;
        if before.is_some() {
            self.capture.detach();
        }
        if is_detached {
            is_news = self.detached.is_none_or(|last| last.elapsed() >= REPORT_DETACHED_EVERY);
            self.detached = Some(Instant::now());
            if is_news {
                log::warn!(
                    "`{name}`: the program is not attached any more: somebody else has detached it, or the interface was \
                     created again"
                );
            }
        } else if before.is_some() {
            log::warn!("`{name}` is gone; waiting for it to come back");
        }
        let Some(index) = index else { return false };
        match self.capture.attach(name, index) {
            Ok(mode) => {
                self.index = Some(index);
                self.complaint.clear();
                match (is_detached, is_news) {
                    (true, true) => log::info!("`{name}`: attached again in {mode} mode"),
                    (true, false) => {}
                    (false, _) => log::info!("`{name}` is back: attached in {mode} mode"),
                }
            }
            Err(error) => {
                let complaint = error.to_string();
                if complaint != self.complaint {
                    log::warn!("{complaint}");
                    self.complaint = complaint;
                }
            }
        }
        self.index.is_some()
    }

    /// Returns whether somebody else has detached the program since the start.
    pub(super) const fn was_detached(&self) -> bool {
        self.detached.is_some()
    }
}
