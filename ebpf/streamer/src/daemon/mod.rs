//! The daemon: one stream an interface, one delivery a stream, and what surrounds them.

mod alarm;
mod attachment;
mod board;
mod exposition;
mod memory;
mod metrics;
mod poll;
mod run;
mod service;
mod stream;

pub use memory::resident_bytes;
pub use poll::PollTimer;
pub use run::run;
