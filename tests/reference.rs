//! The two reference pages of docs/: the keys of cluster.toml, made from the schema, and the commands, made from their help.
//! `SNAPSHOTS=overwrite` writes them anew.

#![allow(clippy::expect_used, reason = "a failed step is a failed test")]

use std::fmt::Write;
use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory};
use rk1::cli::Arguments;
use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Columns of the help texts: what fits beside the book's table of contents.
const HELP_WIDTH: usize = 100;

/// Compares a page with what it should be, or overwrites it.
fn assert_fresh(page: &str, fresh: &str) {
    let path = Path::new(ROOT).join("docs").join(page);
    if std::env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
        fs::write(&path, fresh).expect("the page is written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == fresh,
        "docs/{page} is out of date: run `SNAPSHOTS=overwrite cargo test --test reference`"
    );
}

#[test]
fn the_keys_of_the_cluster_file() {
    let schema = fs::read_to_string(Path::new(ROOT).join("docs/cluster.schema.json")).expect("the schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let mut page = String::from(
        "# The keys of cluster.toml\n\n\
         Each section of the file with its keys, made from [the schema](cluster.schema.json), which also lets an editor complete\n\
         the file. `rk1 init --commented` writes a file with a comment for each key, and `rk1 check` reports what is wrong with yours.\n",
    );
    for (name, section) in in_order_of_the_template(&schema) {
        describe(&schema, name, section, &mut page);
    }
    assert_fresh("cluster-file.md", &page);
}

/// The sections in the order in which `rk1 init` writes them.
fn in_order_of_the_template(schema: &Value) -> Vec<(&String, &Value)> {
    let template = include_str!("../src/cli/init/cluster.toml");
    let place = |name: &str| {
        let headers = [format!("\n[{name}]\n"), format!("\n[[{name}]]\n"), format!("[{name}")];
        headers.iter().find_map(|header| template.find(header)).unwrap_or(template.len())
    };
    let mut sections: Vec<_> = schema["properties"].as_object().expect("sections").iter().collect();
    sections.sort_by_key(|(name, _)| place(name));
    sections
}

/// Follows `$ref`, also the one that stands in an `allOf` beside a description of its own.
fn resolved<'a>(schema: &'a Value, value: &'a Value) -> &'a Value {
    let inner = value["allOf"].get(0).or(value["anyOf"].get(0)).unwrap_or(value);
    inner["$ref"].as_str().and_then(|path| schema.pointer(path.trim_start_matches('#'))).unwrap_or(inner)
}

fn is_table(value: &Value) -> bool {
    value["properties"].is_object()
}

/// The tables in a list, or in a table whose keys the user chooses.
fn inner<'a>(schema: &'a Value, own: &'a Value, key: &str) -> Option<&'a Value> {
    Some(resolved(schema, &own[key])).filter(|inner| is_table(inner))
}

/// Writes a section with its table of keys, then the sections in it.
fn describe(schema: &Value, name: &str, value: &Value, page: &mut String) {
    let own = resolved(schema, value);
    let (table, header) = match (inner(schema, own, "items"), inner(schema, own, "additionalProperties")) {
        (Some(item), _) => (item, format!("[[{name}]]")),
        (_, Some(entry)) => (entry, format!("[{name}.NAME]")),
        _ => (own, format!("[{name}]")),
    };
    let description = value["description"].as_str().or(table["description"].as_str()).unwrap_or_default();
    write!(page, "\n## {header}\n\n{}\n", cell(description)).expect("a string");
    let Some(properties) = table["properties"].as_object() else {
        if let Some(example) = value["examples"].get(0).or(table["examples"].get(0)) {
            write!(page, "\nExample: `{}`\n", toml_text(example)).expect("a string");
        }
        return;
    };
    let is_section = |value: &Value| {
        let own = resolved(schema, value);
        is_table(own) || ["items", "additionalProperties"].iter().any(|key| inner(schema, own, key).is_some())
    };
    let required = |key: &str| {
        table["required"].as_array().is_some_and(|keys| keys.iter().any(|required| required == key))
    };
    let mut rows = String::new();
    for (key, value) in properties.iter().filter(|(_, value)| !is_section(value)) {
        let own = resolved(schema, value);
        let description = value["description"].as_str().or(own["description"].as_str()).unwrap_or_default();
        let example = value["examples"].get(0).or(own["examples"].get(0));
        let example = example.map(|example| format!("`{}`", toml_text(example))).unwrap_or_default();
        let is_required = if required(key) { "yes" } else { "" };
        let text = cell(&format!("{}{}", description, choices(own)));
        writeln!(rows, "| `{key}` | {is_required} | {text} | {} |", cell(&example)).expect("a string");
    }
    if !rows.is_empty() {
        write!(page, "\n| key | required | meaning | example |\n|---|---|---|---|\n{rows}")
            .expect("a string");
    }
    for (key, value) in properties.iter().filter(|(_, value)| is_section(value)) {
        describe(schema, &format!("{name}.{key}"), value, page);
    }
}

/// The values that a key can have, if they are few.
fn choices(value: &Value) -> String {
    let Some(values) = value["enum"].as_array() else { return String::new() };
    let values: Vec<_> = values
        .iter()
        .filter(|value| !value.is_null())
        .map(|value| format!("`{}`", toml_text(value)))
        .collect();
    format!(" One of {}.", values.join(", "))
}

/// A value as it is written in cluster.toml.
fn toml_text(value: &Value) -> String {
    match value {
        Value::Object(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| format!("{} = {}", toml_key(key), toml_text(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Array(values) => {
            let values: Vec<_> = values.iter().map(toml_text).collect();
            format!("[{}]", values.join(", "))
        }
        other => other.to_string(),
    }
}

fn toml_key(key: &str) -> String {
    let is_bare = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if is_bare { key.to_owned() } else { format!("{key:?}") }
}

/// Text for a cell of a table: one line, without bars that would end it.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[test]
fn the_commands() {
    let mut command = Arguments::command().term_width(HELP_WIDTH).disable_help_subcommand(true);
    command.build();
    let mut page = String::from(
        "# Commands\n\n\
         The help of each command, as `rk1 help COMMAND` prints it. `rk1 man DIRECTORY` writes manual pages, and `rk1 completions`\n\
         completions for your shell.\n",
    );
    help(&mut command, &mut page);
    assert_fresh("commands.md", &page);
}

fn help(command: &mut Command, page: &mut String) {
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    let text = command.render_long_help().to_string();
    let text: Vec<_> = text.lines().map(str::trim_end).collect();
    write!(page, "\n## {name}\n\n```text\n{}\n```\n", text.join("\n").trim_end()).expect("a string");
    for subcommand in command.get_subcommands_mut().filter(|subcommand| !subcommand.is_hide_set()) {
        help(subcommand, page);
    }
}
