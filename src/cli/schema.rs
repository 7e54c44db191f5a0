use super::outcome::Outcome;
use super::output::print;
use crate::config::written::schema::schema;

pub(super) fn run() -> anyhow::Result<Outcome> {
    print(&format!("{:#}\n", schema()))?;
    Ok(Outcome::Done)
}
