//! `docs/storage.md` says what the tests prove: its table is made of their rows.

use std::fmt::Write;
use std::fs;

use crate::case::Outcome;
use crate::encrypted;
use crate::existing;
use crate::table::ROWS;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/storage.md");
const END: &str = "<!-- end of rows -->\n";

fn table(rows: &[(&str, &Outcome)]) -> String {
    let mut table = "| disk | what happens | last line in the journal |\n|---|---|---|\n".to_owned();
    for (disk, outcome) in rows {
        let what = match outcome {
            Outcome::Made(_) => "partition and filesystem created, then used",
            Outcome::Kept(_) => "used as it is, no byte changed",
            Outcome::Repaired(_) => "repaired or grown, files kept, then used",
            Outcome::Refused(_) => "**refused**, no byte changed",
            Outcome::Halted(_) => "**not mounted**, nothing changed but e2fsck's own marks",
        };
        writeln!(table, "| {disk} | {what} | {} |", outcome.verdict()).unwrap();
    }
    table
}

#[test]
fn tables_have_exactly_the_rows_that_are_tested() {
    let plain: Vec<_> = ROWS.iter().map(|row| (row.disk, &row.outcome)).collect();
    let encrypted: Vec<_> = encrypted::ROWS.iter().map(|row| (row.disk, &row.outcome)).collect();
    let existing: Vec<_> = existing::ROWS.iter().map(|row| (row.disk, &row.outcome)).collect();
    for (file, rows) in [("table.rs", plain), ("encrypted.rs", encrypted), ("existing.rs", existing)] {
        let document = fs::read_to_string(DOCUMENT).unwrap();
        let begin = format!("<!-- rows: tests/modules/storage/{file} -->\n");
        let (before, rest) = document.split_once(&begin).unwrap();
        let (found, after) = rest.split_once(END).unwrap();
        if std::env::var_os("RK1_UPDATE_DOCS").is_some() {
            fs::write(DOCUMENT, format!("{before}{begin}{}{END}{after}", table(&rows))).unwrap();
        } else {
            assert_eq!(
                found,
                table(&rows),
                "`RK1_UPDATE_DOCS=1 cargo test --test storage document` updates it"
            );
        }
    }
}
