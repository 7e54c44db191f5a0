//! The command line: what was typed, and the files and variables that complete it.

mod arguments;
mod config;
mod settings;

pub use arguments::{
    AddressesArgument, Cli, Command, FormatArgument, Generate, HookArgument, HookArguments, MacArgument,
    RunArguments, SinkArgument, XdpModeArgument,
};
pub use config::{ConfigError, ConfigFile};
pub use settings::{Output, Settings, SettingsError, TokenOrigin};
