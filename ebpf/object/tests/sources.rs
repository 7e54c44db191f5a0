//! The committed objects were built from the sources beside them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{fs, io};

use sha2::{Digest, Sha256};

const HINT: &str = "hint: run `ebpf/build-object` and commit the result";

/// Returns the objects and the same files as the function `sources` in ebpf/build-object.
fn files(ebpf: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let mut files: BTreeSet<PathBuf> = [
        "build-object",
        "rust-source",
        "program/Cargo.toml",
        "program/Cargo.lock",
        "record/Cargo.toml",
        "parser/Cargo.toml",
    ]
    .iter()
    .chain(&["object/packet-program.o", "object/packet-comparison.o"])
    .map(PathBuf::from)
    .collect();
    for room in ["program/src", "record/src", "parser/src"] {
        let mut folders = vec![ebpf.join(room)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.extend(path.strip_prefix(ebpf).map(Path::to_path_buf));
                }
            }
        }
    }
    Ok(files)
}

#[test]
fn objects_are_built_from_these_sources() {
    let ebpf = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut expected: Vec<String> = Vec::new();
    for file in files(ebpf).unwrap() {
        let mut line = String::new();
        for byte in Sha256::digest(fs::read(ebpf.join(&file)).unwrap()) {
            write!(line, "{byte:02x}").unwrap();
        }
        expected.push(format!("{line}  {}", file.display()));
    }
    let digest = fs::read_to_string(ebpf.join("object/sources.sha256")).unwrap();
    let mut committed: Vec<String> =
        digest.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    let by_file = |line: &String| line.split("  ").nth(1).map(str::to_owned);
    expected.sort_by_key(by_file);
    committed.sort_by_key(by_file);
    assert_eq!(committed, expected, "the objects are older than their sources\n{HINT}");
}
