//! Images that `images/assemble.sh` makes: inspected, seeded, and booted for the first time as far as
//! `modules/node-secrets.sh` goes. Loop devices and mounts are real; the loader and the root filesystem are stand-ins.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed step is a failed test, also in what tests share"
)]

mod bombs;
mod canary;
mod cluster;
mod composed;
mod disk;
mod first_boot;
mod grow;
mod inspect;
mod interruption;
mod mutation;
mod program;
#[path = "../../requirement/mod.rs"]
mod requirement;
mod seed;
