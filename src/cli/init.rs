use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use anyhow::Context;

use super::Outcome;

/// The file that `rk1 init` writes: every key, with the optional ones commented out.
const TEMPLATE: &str = include_str!("init/cluster.toml");

pub(super) fn run(file: &Path) -> anyhow::Result<Outcome> {
    let name = file.display();
    // An existing file is never overwritten.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .and_then(|mut file| file.write_all(TEMPLATE.as_bytes()))
        .with_context(|| format!("cannot write `{name}`"))?;
    anstream::eprintln!("{name} is written: fill in the addresses, then run `rk1 check`");
    Ok(Outcome::Done)
}
