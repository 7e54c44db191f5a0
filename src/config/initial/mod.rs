//! The first `cluster.toml`: what is asked, what a network suggests, and the text that follows from the answers.

mod answers;
mod proposal;

pub use answers::{Answers, Services};
pub use proposal::{LocalNetwork, Proposal};
