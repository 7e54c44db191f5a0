//! One flash as a state machine: replies of the BMC go in, the next call comes out. Nothing here waits, sends or prints.

mod call;
mod clean_up;
mod machine;
mod state;
#[cfg(test)]
mod tests;

pub use call::Phase;
pub(super) use call::{Call, Next, Reply, TimedCall};
pub(super) use machine::{Job, Steps};
