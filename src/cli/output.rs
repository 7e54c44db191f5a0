//! What a command prints: data on standard output, everything else on standard error.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueEnum;
use clap::builder::styling::AnsiColor;

use super::outcome::{CommandError, Outcome, Unusable};
use crate::common::printable::printable_styled;
use crate::config::cluster::NoSuchNode;
use crate::operate::deploy::PlanError;

/// When to print colors.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Color {
    #[value(help = "On a terminal, unless NO_COLOR is set")]
    Auto,
    Always,
    Never,
}

static IS_QUIET: AtomicBool = AtomicBool::new(false);

/// Applies the options that hold for everything that this process prints.
pub(super) fn configure(color: Color, is_quiet: bool, verbosity: u8) {
    match color {
        // `anstream` looks at NO_COLOR, CLICOLOR_FORCE and the terminal.
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
    IS_QUIET.store(is_quiet, Ordering::Relaxed);
    let level = match verbosity {
        0 => return,
        1 => log::LevelFilter::Debug,
        _ => log::LevelFilter::Trace,
    };
    if log::set_logger(&StandardError).is_ok() {
        log::set_max_level(level);
    }
}

/// Prints what rk1 itself logs. Libraries log too, and some of them log headers with passwords.
struct StandardError;

impl log::Log for StandardError {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("rk1::")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let style = AnsiColor::BrightBlack.on_default();
            say!("{style}{}{style:#}", record.args());
        }
    }

    fn flush(&self) {}
}

/// Writes data to standard output.
///
/// A reader that has gone away (`| head`) is not an error: the command goes on, so that its exit code says what it found.
pub(super) fn print(data: &str) -> anyhow::Result<()> {
    match print_while_read(data) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Writes data to standard output, and fails when its reader has gone away: for a command that never ends by itself.
pub(super) fn print_while_read(data: &str) -> io::Result<()> {
    let mut output = anstream::stdout().lock();
    output.write_all(printable_styled(data).as_bytes())?;
    output.flush()
}

/// Moves the cursor to the first line, and clears what is below.
pub(super) fn clear_screen() -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(b"\x1b[H\x1b[J")?;
    output.flush()
}

/// Prints text on standard error, as it is except for what could steer a terminal.
pub(super) fn say_text(text: &str) {
    anstream::eprint!("{}", printable_styled(text));
}

/// Prints a line on standard error. Takes what `format!` takes.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::cli::output::say_text(&(format!($($text)*) + "\n"))
    };
}

pub(super) use say;

/// Prints a line about what was done, unless the user asked for silence.
pub(super) fn note(line: impl AsRef<str>) {
    if !IS_QUIET.load(Ordering::Relaxed) {
        say!("{}", line.as_ref());
    }
}

pub(super) fn styled(word: &str) -> String {
    let style = AnsiColor::Red.on_default().bold();
    format!("{style}{word}{style:#}")
}

/// Prints the hint that belongs to an error printed before.
pub(super) fn print_hint(hint: &str) {
    say!("  hint: {hint}");
}

/// Prints what is wrong, and what to do about it.
pub(super) fn print_mistake(message: impl Display, hint: Option<String>) {
    say!("{}: {message}", styled("error"));
    if let Some(hint) = hint {
        print_hint(&hint);
    }
}

/// Prints why a command failed, and returns how it ended.
pub(super) fn print_error(error: &anyhow::Error) -> Outcome {
    if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
        return Outcome::Done;
    }
    if error.is::<Unusable>() {
        return Outcome::Failed;
    }
    say!("{}: {error:#}", styled("error"));
    if let Some(error) = error.downcast_ref::<NoSuchNode>() {
        print_hint(&error.hint());
        return Outcome::Usage;
    }
    if let Some(error) = error.downcast_ref::<PlanError>() {
        print_hint(&error.hint());
        return Outcome::Usage;
    }
    if let Some(error) = error.downcast_ref::<CommandError>() {
        print_hint(error.hint());
    }
    Outcome::Failed
}
