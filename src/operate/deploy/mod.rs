//! Brings nodes to the system that the flake describes: one after the other, checked before and after.
//!
//! A [`Plan`] says which nodes in which order; `run` goes through it by what [`Operator`] can do: ssh, `nixos-rebuild`,
//! Kubernetes. While a node is switched its guard (`modules/guard`) is armed: the node goes back by itself unless `run`
//! finds it as good as before.

mod actions;
mod command;
mod drain;
mod guard;
mod health;
mod lines;
mod listing;
mod operator;
mod plan;
mod quorum;
mod report;
mod run;
#[cfg(test)]
mod scenarios;

pub use actions::ActionError;
pub use command::{Flake, NodeCommand, roll_back};
pub use health::FailedCheck;
pub(crate) use listing::{line, listing, revert};
pub use operator::Operator;
pub use plan::{Drain, Options, Plan, Step};
pub use report::{Failure, Fate, Report};
pub use run::Event;
pub(crate) use run::run;
