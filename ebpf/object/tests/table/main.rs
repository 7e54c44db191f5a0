//! Hand-made packets with their whole records: from the parser on the host, and from the program in the kernel at each
//! hook.
#![allow(clippy::cast_possible_truncation, reason = "packets of tests are short")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in the functions that it calls")]

mod expectation;
mod ipv4;
mod ipv6;
#[path = "../loaded/mod.rs"]
mod loaded;
#[path = "../packets/mod.rs"]
mod packets;
mod protocols;
mod truncation;
mod vlan;
