//! The command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgAction, CommandFactory, Parser, Subcommand};

use super::cluster_file::{FILE_NAME, locate};
use super::outcome::Outcome;
use super::output::{Color, configure, print_error};
use super::{
    check, completions, deploy, diagram, doctor, flash, init, inspect, join, lab, man, pin, render, schema,
    secrets, status,
};

/// The version, with the commit where the build knew it.
const VERSION: &str = match option_env!("RK1_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

/// Describe a Kubernetes cluster of Turing RK1 modules in one file, and render, flash and operate it
#[derive(Debug, Parser)]
#[command(name = "rk1", version = VERSION, after_help = EXIT_CODES)]
pub struct Arguments {
    /// File that describes the cluster, - for standard input [default: the nearest cluster.toml, here or above]
    #[arg(short, long, global = true, value_name = "FILE", env = "RK1_FILE", hide_env_values = true)]
    file: Option<PathBuf>,
    /// Print only data and errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Print each ssh and HTTP call, without secrets
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
    /// When to print colors
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    color: Color,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str =
    "Exit codes: 0 success, 1 something to fix, 2 wrong usage, 3 cannot tell, 130 interrupted";

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Check(check::Check),
    Pin(pin::Pin),
    Render(render::Render),
    Secrets(secrets::Secrets),
    Deploy(deploy::Deploy),
    Flash(flash::Flash),
    Inspect(inspect::Inspect),
    Join(join::Join),
    Lab(lab::Lab),
    Diagram(diagram::Diagram),
    Doctor(doctor::Doctor),
    Status(status::Status),
    /// Print the JSON Schema of cluster.toml, for editors
    Schema,
    Completions(completions::Completions),
    Man(man::Man),
}

impl Arguments {
    /// Answers a shell that asks for completions; returns otherwise.
    pub fn complete() {
        clap_complete::CompleteEnv::with_factory(Self::command).complete();
    }

    /// Runs the command, prints what went wrong, and returns the exit code.
    #[must_use]
    pub fn run(self) -> ExitCode {
        configure(self.color, self.quiet, self.verbose);
        let outcome = self.command.run(self.file).unwrap_or_else(|error| print_error(&error));
        outcome.into()
    }
}

impl Command {
    fn run(self, named: Option<PathBuf>) -> anyhow::Result<Outcome> {
        match self {
            // A new file is written here, whatever lies above.
            Self::Init(command) => command.run(named.as_deref().unwrap_or(Path::new(FILE_NAME))),
            Self::Check(command) => command.run(named),
            Self::Pin(command) => command.run(&locate(named)),
            Self::Render(command) => command.run(&locate(named)),
            Self::Secrets(command) => command.run(&locate(named)),
            Self::Deploy(command) => command.run(&locate(named)),
            Self::Flash(command) => command.run(&locate(named)),
            Self::Inspect(command) => command.run(),
            Self::Join(command) => command.run(&locate(named)),
            Self::Lab(command) => command.run(&locate(named)),
            Self::Diagram(command) => command.run(&locate(named)),
            Self::Doctor(command) => command.run(&locate(named)),
            Self::Status(command) => command.run(&locate(named)),
            Self::Schema => schema::run(),
            Self::Completions(command) => command.run(),
            Self::Man(command) => command.run(Arguments::command()),
        }
    }
}
