//! The compact schemas are what the generator makes of the public ones.

use std::fs;
use std::path::{Path, PathBuf};

use rk1::render::schema::{Chart, definitions, validate_values};

use crate::objects::release;
use crate::requirement::skipped;

#[path = "../../../examples/compact-schemas/generator/mod.rs"]
pub(crate) mod generator;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/render/schema/data");

/// The folder of the public schemas, which `SCHEMAS` names. Nothing, and one line on standard error, where it is not there.
pub(crate) fn public_schemas(test: &str) -> Option<PathBuf> {
    let usual = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/schemas");
    let folder = std::env::var_os("SCHEMAS").map_or_else(usual, PathBuf::from);
    if folder.join("MANIFEST.md").exists() {
        return Some(folder);
    }
    skipped(test, &format!("the public schemas are not in {}", folder.display()));
    None
}

fn json_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            json_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
}

#[test]
fn the_compact_schemas_are_fresh() {
    let Some(schemas) = public_schemas("the_compact_schemas_are_fresh") else { return };
    let missing = generator::missing(&schemas);
    if !missing.is_empty() {
        let because = format!("{} is not in {}", missing.join(", "), schemas.display());
        skipped("the_compact_schemas_are_fresh, in part,", &because);
    }
    let made = generator::compact_files(&schemas, &missing).expect("compact schemas");
    let stale: Vec<_> = made
        .iter()
        .filter(|(name, text)| fs::read_to_string(Path::new(DATA).join(name)).ok().as_ref() != Some(text))
        .map(|(name, _)| name)
        .collect();
    assert!(
        stale.is_empty(),
        "run `cargo run --example compact-schemas -- {}`: {stale:?}",
        schemas.display()
    );

    let mut committed = Vec::new();
    json_files(Path::new(DATA), &mut committed);
    assert_eq!(committed.len(), made.len() + missing.len(), "a file that the generator does not make");
}

#[test]
fn every_embedded_schema_is_read() {
    assert_eq!(definitions().count(), 36);
    for (folder, definition) in definitions() {
        assert!(definition.is_some(), "a definition in {folder}");
    }
    for (major, minor, patch) in [(1, 16, 1), (1, 18, 12), (1, 19, 6), (1, 20, 0)] {
        let chart = Chart::Cilium(release(major, minor, patch));
        assert_eq!(validate_values(chart, &serde_json::json!({ "debug": { "enabled": true } })), []);
    }
}
