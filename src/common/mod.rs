//! What several wings share: certificates, ssh, files that are written in one step, secrets, tables, the search for similar
//! names, and text that is safe to print.

pub(crate) mod atomic_file;
pub(crate) mod bounded;
pub(crate) mod causes;
pub mod certificate;
pub(crate) mod known_hosts;
#[cfg(test)]
pub(crate) mod mutation;
pub(crate) mod nearest;
pub mod printable;
pub(crate) mod secret_bytes;
pub mod secret_file;
pub mod secret_source;
pub(crate) mod shell;
pub(crate) mod ssh;
pub mod table;
