//! What the tool does: a file for each subcommand.

mod check;
mod completions;
mod deploy;
mod diagram;
mod flash;
mod init;
mod inspect;
mod lab;
mod man;
mod pin;
mod render;
mod schema;
mod secrets;
mod status;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::config::cluster::{Cluster, NoSuchNode};
use crate::config::diagnostics::Problems;
use crate::config::diagnostics::report::report;
use crate::config::source::Source;
use crate::render::document::Document;
use crate::render::pins::Pins;
use crate::render::{RenderError, documents, warnings};

/// One file describes a Turing Pi cluster; this renders everything that it is made of.
#[derive(Debug, Parser)]
#[command(name = "rk1", version, propagate_version = true, disable_help_subcommand = true)]
pub struct Arguments {
    /// The file that describes the cluster.
    #[arg(short, long, global = true, value_name = "FILE", default_value = "cluster.toml")]
    file: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a commented file to start from.
    Init,
    Check(check::Check),
    Pin(pin::Pin),
    Render(render::Render),
    Secrets(secrets::Secrets),
    Deploy(deploy::Deploy),
    Flash(flash::Flash),
    Inspect(inspect::Inspect),
    Lab(lab::Lab),
    Diagram(diagram::Diagram),
    Status(status::Status),
    /// Print the JSON Schema of the cluster's file, by which editors complete it.
    Schema,
    Completions(completions::Completions),
    Man(man::Man),
}

/// How a command ends.
#[derive(Debug)]
enum Outcome {
    Done,
    /// The user has something to mend, and has been told what.
    Mistakes,
    /// The command line cannot be meant, and the user has been told why.
    Misuse,
    /// The user has ended it.
    Interrupted,
    /// Whether something is to be mended could not be found out, and the user has been told why.
    Unknown,
}

/// As clap ends for what it finds itself.
const MISUSE: u8 = 2;
/// As shells say it of a program that Ctrl-C ended: 128 and the number of the signal.
const INTERRUPTED: u8 = 130;
/// The exit code of what could not be found out.
const UNKNOWN: u8 = 3;

/// The user's text could not be used, and every mistake in it has been printed.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` has mistakes")]
struct Unusable(String);

impl Arguments {
    /// Runs the command and says on standard error what went wrong: 0 where all is well, 3 where that cannot be
    /// told, else 1.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let outcome = match self.command {
            Command::Init => init::run(&self.file),
            Command::Check(command) => command.run(&self.file),
            Command::Pin(command) => command.run(&self.file),
            Command::Render(command) => command.run(&self.file),
            Command::Secrets(command) => command.run(&self.file),
            Command::Deploy(command) => command.run(&self.file),
            Command::Flash(command) => command.run(&self.file),
            Command::Inspect(command) => command.run(),
            Command::Lab(command) => command.run(&self.file),
            Command::Diagram(command) => command.run(&self.file),
            Command::Status(command) => command.run(&self.file),
            Command::Schema => schema::run(),
            Command::Completions(command) => command.run(),
            Command::Man(command) => command.run(),
        };
        match outcome {
            Ok(Outcome::Done) => ExitCode::SUCCESS,
            Ok(Outcome::Mistakes) => ExitCode::FAILURE,
            Ok(Outcome::Misuse) => ExitCode::from(MISUSE),
            Ok(Outcome::Interrupted) => ExitCode::from(INTERRUPTED),
            Ok(Outcome::Unknown) => ExitCode::from(UNKNOWN),
            // Whoever read our output has had enough of it.
            Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
            Err(error) if error.is::<Unusable>() => ExitCode::FAILURE,
            Err(error) => {
                anstream::eprintln!("{}: {error:#}", styled("error"));
                match error.downcast_ref::<NoSuchNode>() {
                    Some(unknown) => {
                        anstream::eprintln!("  hint: {}", unknown.hint());
                        ExitCode::from(MISUSE)
                    }
                    None => ExitCode::FAILURE,
                }
            }
        }
    }
}

fn styled(word: &str) -> String {
    let style = clap::builder::styling::AnsiColor::Red.on_default().bold();
    format!("{style}{word}{style:#}")
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn read_source(file: &Path) -> anyhow::Result<Source> {
    let name = file.display().to_string();
    let hint = "say which file with `--file`, or write one with `rk1 init`";
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read `{name}` ({hint})"))?;
    Ok(Source { name, text })
}

/// The cluster and all that it is made of, as far as they can be made; what is wrong is noted.
fn examine(
    source: &Source,
    file: &Path,
    problems: &mut Problems,
) -> anyhow::Result<Option<(Cluster, Vec<Document>)>> {
    let pins = Pins::read(folder_of(file))?;
    let Some(cluster) = Cluster::parse(source, problems) else { return Ok(None) };
    problems.append(warnings(&cluster, &pins));
    match documents(&cluster, &pins) {
        Ok(documents) => Ok(Some((cluster, documents))),
        Err(RenderError::Refused(refused)) => {
            problems.append(refused);
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// All that the cluster is made of, once its mistakes and warnings have been printed.
fn read_documents(file: &Path) -> anyhow::Result<Vec<Document>> {
    read_examined(file).map(|(_, documents)| documents)
}

/// The cluster and all that it is made of, once its mistakes and warnings have been printed.
fn read_examined(file: &Path) -> anyhow::Result<(Cluster, Vec<Document>)> {
    let source = read_source(file)?;
    let mut problems = Problems::default();
    let examined = examine(&source, file, &mut problems)?;
    if !problems.is_empty() {
        anstream::eprint!("{}", report(&source, &problems));
    }
    examined.ok_or_else(|| Unusable(source.name).into())
}

/// The cluster, once its mistakes and warnings have been printed.
fn read_cluster(file: &Path) -> anyhow::Result<Cluster> {
    let source = read_source(file)?;
    let mut problems = Problems::default();
    let cluster = Cluster::parse(&source, &mut problems);
    if !problems.is_empty() {
        anstream::eprint!("{}", report(&source, &problems));
    }
    cluster.ok_or_else(|| Unusable(source.name).into())
}

/// The folder that the cluster's file lies in, and what is rendered from it.
fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

/// Writes data to standard output.
fn print(data: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(data.as_bytes())?;
    output.flush()?;
    Ok(())
}
