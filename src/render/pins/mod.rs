//! `pins.json`: the addresses and hashes of the fetched charts and resource definitions.
//!
//! A cluster's own `pins.json` lies beside its `cluster.toml`. Without one, the built-in pins apply.

pub mod helm;
pub mod lookup;
mod pinned;
pub mod sri;

pub use pinned::{ChartPins, DefinitionPins, FILE_NAME, PinnedFile, Pins, PinsError, definition_url};
