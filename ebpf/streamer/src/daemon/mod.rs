//! The daemon: for each interface one stream and one delivery, and beside them the metrics server and the service manager.

mod alarm;
mod attachment;
mod board;
mod exposition;
mod metrics;
mod poll;
mod recorder;
mod roster;
mod run;
mod service;
mod stream;

pub use poll::PollTimer;
pub use run::run;
