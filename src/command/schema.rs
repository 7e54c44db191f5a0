use super::{Outcome, print};
use crate::cluster_file::schema::schema;

pub(super) fn run() -> anyhow::Result<Outcome> {
    print(&format!("{:#}\n", schema()))?;
    Ok(Outcome::Done)
}
