//! Makes the secrets of a cluster that no other system issues: tokens to join with, the authority of the servers, host keys,
//! and passwords of BGP sessions. What exists is never overwritten.

mod authority;
mod host_key;
mod ignore;
mod known;
mod make;
mod run;
mod store;

pub(crate) use known::known_host;
pub use make::MakeError;
pub use run::{Action, GenerateError, Generated, GeneratedSecret, Rotated, generate, rotate};
