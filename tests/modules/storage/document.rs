//! `docs/storage.md` says what the tests prove: its table is made of their rows.

use std::fmt::Write;
use std::fs;

use crate::case::Outcome;
use crate::table::ROWS;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/storage.md");
const BEGIN: &str = "<!-- rows: tests/modules/storage/table.rs -->\n";
const END: &str = "<!-- end of rows -->\n";

fn table() -> String {
    let mut table = "| disk | what happens | last line in the journal |\n|---|---|---|\n".to_owned();
    for row in ROWS {
        let what = match row.outcome {
            Outcome::Made(_) => "partition and filesystem created, then used",
            Outcome::Kept(_) => "used as it is, no byte changed",
            Outcome::Repaired(_) => "repaired or grown, files kept, then used",
            Outcome::Refused(_) => "**refused**, no byte changed",
            Outcome::Halted(_) => "**not mounted**, nothing changed but e2fsck's own marks",
        };
        writeln!(table, "| {} | {what} | {} |", row.disk, row.outcome.verdict()).unwrap();
    }
    table
}

#[test]
fn table_has_exactly_the_rows_that_are_tested() {
    let document = fs::read_to_string(DOCUMENT).unwrap();
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    if std::env::var_os("RK1_UPDATE_DOCS").is_some() {
        fs::write(DOCUMENT, format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
    } else {
        assert_eq!(found, table(), "`RK1_UPDATE_DOCS=1 cargo test --test storage document` updates it");
    }
}
