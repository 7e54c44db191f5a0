//! `xdp-streamer` shows received packets live.

use anyhow::Result;
use clap::{CommandFactory as _, Parser as _};
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use xdp_streamer::command::{Cli, Command, Generate, Settings};
use xdp_streamer::{daemon, journal};

fn main() -> ExitCode {
    let cli = Cli::parse();
    journal::start();
    match execute(cli.command) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "xdp-streamer: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> Result<ExitCode> {
    match command {
        Command::Run(arguments) => {
            let variable = |name: &str| std::env::var(name).ok();
            let settings = Settings::complete(*arguments, &variable, std::io::stdout().is_terminal())?;
            daemon::run(&settings)?;
        }
        Command::Watch(arguments) => xdp_streamer::watch::run(&arguments)?,
        Command::Check { interface } => {
            return Ok(xdp_streamer::check::run(&interface, &mut std::io::stdout())?);
        }
        Command::Generate(what) => generate(&what, &mut std::io::stdout())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn generate(what: &Generate, to: &mut impl std::io::Write) -> Result<()> {
    let mut command = Cli::command();
    match what {
        Generate::Completions { shell } => clap_complete::generate(*shell, &mut command, "xdp-streamer", to),
        Generate::Man { subcommand: None } => clap_mangen::Man::new(command).render(to)?,
        Generate::Man { subcommand: Some(name) } => {
            // `build` gives the subcommands their full names.
            command.build();
            let page = command.find_subcommand(name).cloned().unwrap_or_default();
            let title = format!("xdp-streamer-{name}");
            clap_mangen::Man::new(page).title(title).render(to)?;
        }
    }
    Ok(())
}
