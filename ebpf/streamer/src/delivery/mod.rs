//! From the rows to the sink: a bounded queue and the loop that empties it, whatever the other end does.

mod backoff;
mod parts;
mod queue;
mod state;
mod task;

pub use backoff::Backoff;
pub use queue::Queue;
pub use state::{Deliveries, SinkState};
pub use task::{Pace, deliver};
