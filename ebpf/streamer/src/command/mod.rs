//! The command line: what was typed, and the files and variables that complete it.

mod arguments;
mod config;
mod output;
mod settings;

pub use arguments::{
    AddressesArgument, Cli, Command, FormatArgument, Generate, HookArgument, HookArguments, MacArgument,
    RunArguments, SinkArgument, XdpModeArgument,
};
pub use config::{ConfigError, ConfigFile};
pub use output::{Output, OutputError, TokenOrigin};
pub use settings::{Settings, SettingsError};
