use std::fs::OpenOptions;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;

use anyhow::Context;
use clap::Args;

use super::cluster_file::examine;
use super::outcome::{CommandError, Outcome, Unusable};
use super::output::{say, say_text};
use super::question::Answering;
use crate::config::diagnostics::report::report;
use crate::config::source::Source;

mod answers;

/// The file that `rk1 init` writes without questions: every key, with the optional ones commented out.
const TEMPLATE: &str = include_str!("init/cluster.toml");

/// Write a cluster.toml to start from
///
/// On a terminal, it asks for what a cluster needs, and proposes what this machine suggests. Elsewhere it writes a commented
/// file with every key. An existing file is never overwritten.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// Take the proposal for each answer that is not given
    #[arg(long, short)]
    yes: bool,
    /// Write the commented file with every key, without questions
    #[arg(long, conflicts_with_all = ["yes", "Given"])]
    commented: bool,
    #[command(flatten)]
    given: answers::Given,
}

impl Init {
    pub(super) fn run(&self, file: &Path) -> anyhow::Result<Outcome> {
        let name = file.display().to_string();
        if file.symlink_metadata().is_ok() {
            return Err(exists(&name).into());
        }
        let is_terminal = io::stdin().is_terminal();
        if self.commented || !is_terminal && !self.yes && self.given.is_empty() {
            create(file, &name, TEMPLATE)?;
            say!("{name} is written: fill in the addresses, then run `rk1 check`");
            return Ok(Outcome::Done);
        }
        let answering = match (self.yes, is_terminal) {
            (true, _) => Answering::ByProposal,
            (false, true) => Answering::OnTerminal,
            (false, false) => {
                return Err(CommandError::new(
                    "cannot ask for the other answers: standard input is not a terminal",
                    "take the proposals for them with `--yes`",
                )
                .into());
            }
        };
        let answers = self.given.complete(answering)?;
        let source = Source { name: name.clone(), text: answers.file() };
        let examination = examine(&source, file)?;
        if !examination.problems.is_empty() {
            say_text(&report(&source, &examination.problems));
        }
        if examination.rendered.is_none() {
            say!("nothing was written: the answers do not fit together");
            return Err(Unusable(name).into());
        }
        create(file, &name, &source.text)?;
        say!("{name} is written: read it, then run `rk1 check` and `rk1 secrets --generate`");
        Ok(Outcome::Done)
    }
}

fn exists(name: &str) -> CommandError {
    CommandError::new(format!("`{name}` exists already"), "move it away, or name another file with `--file`")
}

/// Writes a file that must not exist.
fn create(file: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let created = OpenOptions::new().write(true).create_new(true).open(file);
    if created.as_ref().is_err_and(|error| error.kind() == ErrorKind::AlreadyExists) {
        return Err(exists(name).into());
    }
    created
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write `{name}`"))
}
