//! What `modules/storage/prepare-disk.sh` does to each kind of disk: the very script and the very repart definitions that
//! the module ships, run on loop devices over sparse files. The table of `docs/storage.md` is made of these tests' rows.

// A test program has no outside, so `pub` says as much as `pub(crate)`.
#![allow(unreachable_pub)]
// All of it is test, and a test fails by panicking; Clippy knows that only of `#[test]` functions.
#![allow(clippy::panic, clippy::unwrap_used)]

#[path = "../../requirement/mod.rs"]
mod requirement;

mod case;
mod contents;
mod disk;
mod document;
mod encrypted;
mod existing;
mod fingerprint;
mod further;
mod interruption;
mod machine;
mod mounts;
mod script;
mod table;
mod tool;
