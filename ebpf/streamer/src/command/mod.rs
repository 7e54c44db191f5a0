//! The settings of the daemon, from the command line, the configuration file and the environment.

mod arguments;
mod config;
mod effect;
mod output;
mod recording;
mod selection;
mod settings;

pub use arguments::{
    AddressesArgument, Cli, Command, DirectionArgument, FormatArgument, Generate, HookArgument,
    HookArguments, MacArgument, RunArguments, SinkArgument, WatchArguments, XdpModeArgument,
};
pub use config::{ConfigError, ConfigFile};
pub use effect::NoEffect;
pub use output::{Output, OutputError, TokenOrigin};
pub use recording::{Recording, Rotation};
pub use selection::{Pattern, Selection};
pub use settings::{Settings, SettingsError};
