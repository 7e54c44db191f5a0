//! The program on its interface, which may disappear and come back.

use crate::capture::{AttachError, Capture, Interfaces};

#[derive(Debug)]
pub(super) struct Attachment {
    pub(super) capture: Capture,
    interfaces: Interfaces,
    interface: String,
    /// The interface's index while the program is on it.
    index: Option<u32>,
    /// The last warning about not being attached.
    complaint: String,
}

impl Attachment {
    /// Attaches a loaded program to an interface that is there.
    pub(super) fn start(
        mut capture: Capture,
        interfaces: Interfaces,
        interface: &str,
        index: u32,
    ) -> Result<Self, AttachError> {
        let mode = capture.attach(interface, index)?;
        log::info!("`{interface}`: attached in {mode} mode");
        Ok(Self {
            capture,
            interfaces,
            interface: interface.to_owned(),
            index: Some(index),
            complaint: String::new(),
        })
    }

    /// Detaches from an interface that has disappeared, and attaches again when it is back. Returns whether it is attached.
    pub(super) fn follow(&mut self) -> bool {
        let name = &self.interface;
        let index = self.interfaces.index(name);
        if index == self.index {
            return index.is_some();
        }
        if self.index.take().is_some() {
            self.capture.detach();
            log::warn!("`{name}` is gone; waiting for it to come back");
        }
        let Some(index) = index else { return false };
        match self.capture.attach(name, index) {
            Ok(mode) => {
                self.index = Some(index);
                self.complaint.clear();
                log::info!("`{name}` is back: attached in {mode} mode");
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
}
