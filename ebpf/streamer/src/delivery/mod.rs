//! From the rows to the sink: a bounded queue and the loop that empties it, whatever the sink does.

mod backoff;
mod log;
mod queue;
mod state;
mod task;

pub use backoff::Backoff;
pub use log::DropLog;
pub use queue::Queue;
pub use state::{Deliveries, SinkState};
pub use task::{Pace, deliver};
