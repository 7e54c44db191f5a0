use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::Context;

use super::outcome::{CommandError, Outcome};
use super::output::say;

/// The file that `rk1 init` writes: every key, with the optional ones commented out.
const TEMPLATE: &str = include_str!("init/cluster.toml");

pub(super) fn run(file: &Path) -> anyhow::Result<Outcome> {
    let name = file.display();
    // An existing file is never overwritten.
    let created = OpenOptions::new().write(true).create_new(true).open(file);
    if created.as_ref().is_err_and(|error| error.kind() == ErrorKind::AlreadyExists) {
        let hint = "move it away, or name another file with `--file`";
        return Err(CommandError::new(format!("`{name}` exists already"), hint).into());
    }
    created
        .and_then(|mut file| file.write_all(TEMPLATE.as_bytes()))
        .with_context(|| format!("cannot write `{name}`"))?;
    say!("{name} is written: fill in the addresses, then run `rk1 check`");
    Ok(Outcome::Done)
}
