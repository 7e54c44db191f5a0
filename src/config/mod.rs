//! `cluster.toml`: its text, the file as written, the checked model, and the diagnostics about it.

pub mod cluster;
pub mod diagnostics;
pub mod dns_providers;
pub mod initial;
pub mod modules;
pub mod platforms;
pub mod source;
pub mod written;
