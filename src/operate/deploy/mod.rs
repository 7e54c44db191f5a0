//! Brings nodes to the system that the flake describes: all are built ahead, then switched, checked before and after.
//!
//! A [`Plan`] holds the nodes in their order; `run` goes through it with the actions of [`Operator`]: ssh, `nixos-rebuild`
//! and Kubernetes. While a node is switched its guard (`modules/guard`) is armed: the node rolls back by itself unless
//! `run` finds that every check that passed before passes again.

mod actions;
mod command;
mod drain;
mod guard;
mod health;
mod listing;
mod operator;
mod plan;
mod quorum;
mod reboot;
mod report;
mod run;
#[cfg(test)]
mod scenarios;
mod secrets;
mod versions;

pub use actions::ActionError;
pub use command::{Flake, NodeCommand, roll_back};
pub use health::FailedCheck;
pub(crate) use listing::{line, listing, revert};
pub use operator::Operator;
pub use plan::{Drain, Options, Plan, PlanError, Step};
pub use reboot::{Reboot, RebootReasons};
pub use report::{Failure, NodeResult, Results};
pub use run::Event;
pub(crate) use run::run;
pub use secrets::{NodeSecret, NodeSecrets};
