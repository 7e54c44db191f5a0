//! Finds and reads cluster.toml for the commands, and prints what is wrong with it.

use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::outcome::{CommandError, Unusable};
use super::output::{note, say_text};
use crate::common::printable::printable;
use crate::config::cluster::Cluster;
use crate::config::diagnostics::report::report;
use crate::config::diagnostics::{Problems, Severity};
use crate::config::source::Source;
use crate::render::document::Document;
use crate::render::manifests::{self, OwnFile};
use crate::render::pins::{Pins, PinsError};
use crate::render::{RenderError, disk, documents, warnings};

/// The file's name where the user does not name it.
pub(super) const FILE_NAME: &str = "cluster.toml";
/// Stands for standard input.
const STANDARD_INPUT: &str = "-";

/// The largest file, in bytes. One with a thousand nodes has 0.2 MiB.
const SIZE_LIMIT: u64 = 4 << 20;

/// Returns the file that the user named, else the nearest cluster.toml, here or in a folder above.
pub(super) fn locate(named: Option<PathBuf>) -> PathBuf {
    named.or_else(nearest_above).unwrap_or_else(|| PathBuf::from(FILE_NAME))
}

fn nearest_above() -> Option<PathBuf> {
    let folder = env::current_dir().ok()?;
    let mut candidate = PathBuf::from(FILE_NAME);
    for _ in folder.ancestors() {
        if candidate.is_file() {
            return Some(candidate);
        }
        candidate = Path::new("..").join(candidate);
    }
    None
}

/// Returns the folder of the cluster's file, which the other files lie in.
pub(super) fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

/// Reads the file. Its name is shown as the user would write it.
pub(super) fn read_source(file: &Path) -> anyhow::Result<Source> {
    let name = if file == Path::new(STANDARD_INPUT) {
        "<standard input>".to_owned()
    } else {
        file.display().to_string()
    };
    let bytes = if file == Path::new(STANDARD_INPUT) {
        read_bounded(io::stdin())
    } else {
        File::open(file).and_then(read_bounded)
    };
    let bytes = bytes.map_err(|error| unreadable(file, &name, &error))?;
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(CommandError::new(
            format!("`{name}` is larger than {} MiB", SIZE_LIMIT >> 20),
            "check that it is the right file",
        )
        .into());
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source { name, text }),
        Err(error) => {
            let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
            let line = valid.split(|byte| *byte == b'\n').count();
            Err(CommandError::new(
                format!("`{name}` is not UTF-8 text: line {line} has other bytes"),
                "save the file as UTF-8",
            )
            .into())
        }
    }
}

/// Reads at most one byte more than a file may have.
fn read_bounded(input: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(SIZE_LIMIT + 1).read_to_end(&mut bytes).map(|_| bytes)
}

fn unreadable(file: &Path, name: &str, error: &io::Error) -> CommandError {
    match error.kind() {
        io::ErrorKind::NotFound if file == Path::new(FILE_NAME) => CommandError::new(
            format!("there is no `{name}` in this folder or in one above it"),
            "name the file with `--file`, or write a new one with `rk1 init`",
        ),
        io::ErrorKind::NotFound => CommandError::new(
            format!("`{name}` does not exist"),
            "check the name after `--file` or in RK1_FILE",
        ),
        io::ErrorKind::IsADirectory => CommandError::new(
            format!("`{name}` is a folder"),
            format!("name the file in it, such as `{}`", file.join(FILE_NAME).display()),
        ),
        _ => CommandError::new(format!("cannot read `{name}`: {error}"), "make the file readable"),
    }
}

/// A cluster and everything that is rendered for it.
pub(super) type Rendered = (Cluster, Vec<Document>);

/// What is known about a cluster's file and its pins.
pub(super) struct Examination {
    pub(super) problems: Problems,
    /// Why pins.json cannot be used. The other problems were then found with the built-in pins.
    pub(super) pins: Option<PinsError>,
    /// Nothing if the file has errors.
    pub(super) rendered: Option<Rendered>,
}

/// Finds all problems of the file and renders it as far as it can be rendered.
pub(super) fn examine(source: &Source, file: &Path) -> anyhow::Result<Examination> {
    let mut problems = Problems::default();
    let (pins, broken) = match Pins::read(folder_of(file)) {
        Ok(pins) => (pins, None),
        Err(error) => (Pins::built_in()?, Some(error)),
    };
    let mut rendered = None;
    if let Some(cluster) = Cluster::parse(source, &mut problems) {
        problems.append(warnings(&cluster, &pins));
        match documents(&cluster, &pins) {
            Ok(documents) => rendered = Some((cluster, documents)),
            Err(RenderError::Refused(refused)) => problems.append(refused),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Examination { problems, pins: broken, rendered })
}

/// Checks the user's own files beside the rendered manifests below `out`.
pub(super) fn check_own_files((cluster, documents): &Rendered, out: &Path) -> anyhow::Result<Vec<OwnFile>> {
    let files = disk::own_files(out, manifests::FOLDER, documents)?;
    Ok(manifests::check_own_files(cluster, documents, files))
}

/// Prints the problems of the user's own files, and which kinds were not checked.
pub(super) fn print_own_files(files: &[OwnFile]) {
    for file in files {
        if !file.problems.is_empty() {
            say_text(&report(&file.source, &file.problems));
        }
        if !file.unchecked.is_empty() {
            let kinds: Vec<_> = file.unchecked.iter().map(|kind| printable(kind)).collect();
            note(format!(
                "{}: not checked, because rk1 has no schema: {}",
                file.source.name,
                kinds.join(", ")
            ));
        }
    }
}

/// How much is printed about warnings when there is no error.
#[derive(Debug, Clone, Copy)]
pub(super) enum Warnings {
    InFull,
    /// One line that counts them. For commands that do more than look at the file.
    Counted,
    /// Another process has printed them.
    Omitted,
}

fn print_problems(source: &Source, problems: &Problems, of_warnings: Warnings) {
    let count = problems.count(Severity::Warning);
    match of_warnings {
        _ if problems.is_empty() => {}
        Warnings::InFull => say_text(&report(source, problems)),
        _ if problems.has_errors() => say_text(&report(source, problems)),
        Warnings::Counted if count == 1 => note("1 warning: run `rk1 check`"),
        Warnings::Counted => note(format!("{count} warnings: run `rk1 check`")),
        Warnings::Omitted => {}
    }
}

/// Returns the cluster and its rendered documents, after printing the problems of its file.
pub(super) fn read_rendered(file: &Path, of_warnings: Warnings) -> anyhow::Result<Rendered> {
    let source = read_source(file)?;
    let examination = examine(&source, file)?;
    print_problems(&source, &examination.problems, of_warnings);
    if let Some(error) = examination.pins {
        return Err(error.into());
    }
    examination.rendered.ok_or_else(|| Unusable(source.name).into())
}

/// Returns the cluster, after printing the problems of its file.
pub(super) fn read_cluster(file: &Path) -> anyhow::Result<Cluster> {
    let source = read_source(file)?;
    let mut problems = Problems::default();
    let cluster = Cluster::parse(&source, &mut problems);
    print_problems(&source, &problems, Warnings::Counted);
    cluster.ok_or_else(|| Unusable(source.name).into())
}
