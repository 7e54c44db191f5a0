//! `routers/`: what is rendered for each platform, whole, and what the platforms' own programs say of it.

#![allow(clippy::expect_used, reason = "what is not as it should be ends the run")]

mod bird;
mod cluster;
mod frr;
mod golden;
#[path = "../../requirement/mod.rs"]
mod requirement;
mod routeros;
