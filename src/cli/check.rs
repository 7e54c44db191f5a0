use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::cluster_file::{check_own_files, examine, folder_of, locate, print_own_files, read_source};
use super::outcome::{CommandError, Outcome};
use super::output::{note, print, say_text};
use crate::config::diagnostics::json::json as problems_as_json;
use crate::config::diagnostics::report::report;
use crate::render::pins;

/// Check cluster.toml and your own manifests, and report all errors
#[derive(Debug, Args)]
pub(super) struct Check {
    /// File to check, instead of the one named by --file
    #[arg(value_name = "FILE", id = "checked_file", conflicts_with = "file")]
    file: Option<PathBuf>,
    /// Print the problems as JSON on standard output
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(self, named: Option<PathBuf>) -> anyhow::Result<Outcome> {
        let file = locate(self.file.or(named));
        let source = match read_source(&file) {
            Ok(source) => source,
            Err(error) if self.json => {
                let hint = error.downcast_ref::<CommandError>().map(CommandError::hint);
                print(&format!("{:#}\n", json!([entry(&file.display().to_string(), &error, hint)])))?;
                return Ok(Outcome::Failed);
            }
            Err(error) => return Err(error),
        };
        let examination = examine(&source, &file)?;
        let problems = &examination.problems;
        let broken_pins = examination.pins.map(anyhow::Error::from);
        let own = match &examination.rendered {
            Some(rendered) => check_own_files(rendered, folder_of(&file))?,
            None => Vec::new(),
        };
        if self.json {
            let mut list = problems_as_json(&source, problems);
            if let (Some(error), Value::Array(entries)) = (&broken_pins, &mut list) {
                let path = folder_of(&file).join(pins::FILE_NAME);
                entries.push(entry(&path.display().to_string(), error, None));
            }
            if let Value::Array(entries) = &mut list {
                for file in &own {
                    let of_file = problems_as_json(&file.source, &file.problems);
                    entries.extend(of_file.as_array().into_iter().flatten().cloned());
                }
            }
            print(&format!("{list:#}\n"))?;
        } else {
            if !problems.is_empty() {
                say_text(&report(&source, problems));
            }
            print_own_files(&own);
        }
        let Some((cluster, _)) = examination.rendered else {
            return match broken_pins {
                Some(error) if !self.json => Err(error),
                _ => Ok(Outcome::Failed),
            };
        };
        match broken_pins {
            Some(error) if !self.json => return Err(error),
            Some(_) => return Ok(Outcome::Failed),
            None => {}
        }
        if own.iter().any(|file| file.problems.has_errors()) {
            return Ok(Outcome::Failed);
        }
        if problems.is_empty() && own.iter().all(|file| file.problems.is_empty()) && !self.json {
            let nodes = match cluster.nodes.len() {
                1 => "1 node".to_owned(),
                count => format!("{count} nodes"),
            };
            note(format!("{}: {nodes}, no mistakes", source.name));
        }
        Ok(Outcome::Done)
    }
}

/// A problem with a file as a whole, in the form of the problems of cluster.toml.
fn entry(file: &str, error: &anyhow::Error, hint: Option<&str>) -> Value {
    json!({
        "file": file,
        "line": 1,
        "column": 1,
        "severity": "error",
        "message": format!("{error:#}"),
        "hint": hint,
        "related": null,
    })
}
