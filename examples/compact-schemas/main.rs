//! Writes the compact schemas of `src/render/schema/data` from the public ones.
//!
//! `cargo run --example compact-schemas -- SCHEMAS [DESTINATION]`: `SCHEMAS` is a folder laid out as
//! `src/render/schema/data/README.md` says.

mod generator;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

const DESTINATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/render/schema/data");

fn main() -> Result<()> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let schemas = arguments.next().context("name the folder with the public schemas")?;
    let destination = arguments.next().unwrap_or_else(|| DESTINATION.into());
    let files = generator::compact_files(&schemas, &[])?;
    for (name, text) in &files {
        let path = destination.join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("")))?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    println!("{} files, {bytes} bytes in {}", files.len(), destination.display());
    Ok(())
}
