//! Makes `src/vendor/ieee.bin` from the IEEE Registration Authority's public listings.
//!
//! `cargo run --example vendor_table -- oui.csv mam.csv oui36.csv > src/vendor/ieee.bin`
//!
//! The listings (MA-L, MA-M, MA-S) are at <https://standards-oui.ieee.org>; Debian packages them as
//! `ieee-data`, and the crate `oui-data` has them in `data/`. Only the prefix and the organisation are kept, without its
//! legal form and cut to 32 characters.
//!
//! Layout, little-endian: counts of 24-, 28-, 36-bit prefixes, of names, and the length of all names (five
//! u32); then for each width its sorted prefixes (3, 4, 5 bytes, big-endian) and after them a u16 name index
//! each; then the names' end offsets (u32 each) and the names.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

/// The name of a block that is divided into blocks with prefixes of 28 or 36 bits.
const DIVIDED: &str = "IEEE Registration Authority";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut blocks: [BTreeMap<u64, String>; 3] = Default::default();
    for path in std::env::args().skip(1) {
        for record in records(&std::fs::read_to_string(path)?) {
            let [_, prefix, organisation, ..] = record.as_slice() else { continue };
            let width = match prefix.len() {
                6 => 0,
                7 => 1,
                9 => 2,
                _ => continue,
            };
            let Ok(bits) = u64::from_str_radix(prefix, 16) else { continue };
            // A few prefixes are listed twice. The first holder is kept.
            blocks[width].entry(bits).or_insert_with(|| short(organisation));
        }
    }

    let names: BTreeSet<&str> = blocks.iter().flat_map(BTreeMap::values).map(String::as_str).collect();
    let index: BTreeMap<&str, u16> = names
        .iter()
        .enumerate()
        .map(|(at, name)| Ok((*name, u16::try_from(at)?)))
        .collect::<Result<_, std::num::TryFromIntError>>()?;

    let mut out = Vec::new();
    let text: String = names.iter().copied().collect();
    for count in blocks.iter().map(BTreeMap::len).chain([names.len(), text.len()]) {
        out.extend(u32::try_from(count)?.to_le_bytes());
    }
    for (block, (bytes, shift)) in blocks.iter().zip([(3, 0), (4, 4), (5, 4)]) {
        for prefix in block.keys() {
            out.extend(&(prefix << shift).to_be_bytes()[8 - bytes..]);
        }
        for name in block.values() {
            out.extend(index.get(name.as_str()).copied().unwrap_or_default().to_le_bytes());
        }
    }
    let mut end = 0;
    for name in &names {
        end += name.len();
        out.extend(u32::try_from(end)?.to_le_bytes());
    }
    out.extend(text.as_bytes());
    std::io::stdout().write_all(&out)?;
    eprintln!(
        "{} prefixes, {} names, {} bytes",
        blocks.iter().map(BTreeMap::len).sum::<usize>(),
        names.len(),
        out.len()
    );
    Ok(())
}

/// Parses the records of RFC 4180. Quoted fields may hold commas, newlines and doubled quotes.
fn records(csv: &str) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let mut record = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut characters = csv.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                field.push('"');
                characters.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            '\r' if !quoted => {}
            _ => field.push(character),
        }
    }
    records
}

/// Shortens a name: `SYNOLOGY Incorporated` becomes `SYNOLOGY`, `Nokia Shanghai Bell Co., Ltd.` becomes `Nokia Shanghai Bell`.
fn short(organisation: &str) -> String {
    const FORMS: [&str; 26] = [
        "inc",
        "incorporated",
        "corp",
        "corporation",
        "co",
        "company",
        "ltd",
        "limited",
        "llc",
        "gmbh",
        "ag",
        "sa",
        "s.a",
        "srl",
        "s.r.l",
        "bv",
        "b.v",
        "ab",
        "oy",
        "as",
        "a/s",
        "kg",
        "plc",
        "pty",
        "pte",
        "s.p.a",
    ];
    if organisation == DIVIDED {
        return String::new();
    }
    let spaced = organisation.replace(',', ", ").replace(".,", ",").replace("Co.Ltd", "Co Ltd");
    let mut words: Vec<&str> = spaced.split_whitespace().collect();
    while words.len() > 1 {
        let last = words[words.len() - 1].trim_matches([',', '.', '(', ')']).to_lowercase();
        if !last.is_empty() && last != "&" && !FORMS.contains(&last.as_str()) {
            break;
        }
        words.pop();
    }
    let name: String =
        words.join(" ").replace(" ,", ",").chars().filter(|c| !c.is_control()).take(32).collect();
    name.trim_end_matches([',', ' ']).to_owned()
}
