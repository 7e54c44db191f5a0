//! Checks the documentation: its links lead somewhere, `rk1` understands its commands, and its list of dependencies is
//! complete.

#![allow(clippy::expect_used, reason = "a failed step is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use rk1::cli::Arguments;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Returns the pages of docs/ and those of the top level.
fn pages() -> Vec<(PathBuf, String)> {
    let docs =
        fs::read_dir(Path::new(ROOT).join("docs")).expect("docs").map(|entry| entry.expect("entry").path());
    let mut paths: Vec<_> =
        docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect();
    paths.extend(["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(|name| Path::new(ROOT).join(name)));
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).expect("a page"))).collect()
}

/// Targets of `[…](target)` and `![…](target)`, without those on the web.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:")).collect()
}

/// How a heading is named in a link.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for (page, text) in pages() {
        for link in links(&text) {
            let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.with_file_name(file) };
            let is_there = target.exists()
                && (fragment.is_empty()
                    || fs::read_to_string(&target).is_ok_and(|text| {
                        text.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == fragment)
                    }));
            if !is_there {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_book_has_every_page() {
    let summary = fs::read_to_string(Path::new(ROOT).join("docs/SUMMARY.md")).expect("docs/SUMMARY.md");
    let listed: BTreeSet<_> = links(&summary).into_iter().map(str::to_owned).collect();
    let page = |path: &PathBuf| {
        let name = path.strip_prefix(Path::new(ROOT).join("docs")).ok()?;
        (name != Path::new("SUMMARY.md")).then(|| name.display().to_string())
    };
    let pages: BTreeSet<_> = pages().iter().filter_map(|(path, _)| page(path)).collect();
    assert_eq!(listed, pages);
}

/// The lines of docs/status.md that a failure prints are those of the screens which the tests of `rk1 status` compare, and each
/// screen of a cause is there.
#[test]
fn failures_print_what_the_page_says() {
    let root = Path::new(ROOT);
    let (mut printed, mut causes) = (BTreeSet::new(), BTreeSet::new());
    for screen in fs::read_dir(root.join("tests/operate/status/screens")).expect("screens") {
        let screen = screen.expect("a screen");
        let text = fs::read_to_string(screen.path()).expect("a screen");
        let lines: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("WRONG ")).collect();
        if screen.file_name().to_string_lossy().starts_with("cause-") {
            causes.extend(lines.iter().map(|line| (*line).to_owned()));
        }
        printed.extend(lines.into_iter().map(str::to_owned));
    }
    let page = fs::read_to_string(root.join("docs/status.md")).expect("a page");
    let (_, section) = page.split_once("## What each failure prints\n").expect("the section");
    let (section, _) = section.split_once("\n## ").expect("a section behind it");
    let cells =
        section.lines().filter_map(|row| row.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    let code = |cell: &str| {
        let inner = cell.strip_prefix("`` ").and_then(|rest| rest.strip_suffix(" ``"));
        inner.or_else(|| cell.strip_prefix('`')?.strip_suffix('`')).map(str::to_owned)
    };
    let listed: BTreeSet<_> = cells.filter_map(|(_, line)| code(line)).collect();
    assert!(listed.len() > 60, "{}", listed.len());
    let unknown: Vec<_> = listed.difference(&printed).collect();
    assert!(unknown.is_empty(), "no screen has {unknown:#?}");
    let missing: Vec<_> = causes.difference(&listed).collect();
    assert!(missing.is_empty(), "docs/status.md lacks {missing:#?}");
}

/// Tests that docs/security.md names, as `FILE::FUNCTION`.
#[test]
fn every_border_has_a_test() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/security.md")).expect("a page");
    let mut named = 0;
    for row in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| border |")) {
        let tests: Vec<_> = row.split('`').filter_map(|word| word.split_once(".rs::")).collect();
        for (file, test) in &tests {
            let text = fs::read_to_string(Path::new(ROOT).join(format!("{file}.rs"))).unwrap_or_default();
            let is_test = text.contains(&format!("fn {test}("));
            assert!(is_test, "{file}.rs has no test `{test}`");
        }
        named += tests.len();
    }
    let borders = page.split("## Borders").nth(1).expect("the borders");
    let rows = borders.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| border |"));
    for row in rows {
        assert!(row.contains(".rs::"), "no test is named: {row}");
    }
    assert!(named > 30, "{named}");
}

/// Lines of indented or fenced blocks that call `rk1`, without what stands behind a `#`.
fn commands(text: &str) -> Vec<Vec<&str>> {
    let mut is_fenced = false;
    let mut commands = Vec::new();
    for line in text.lines() {
        is_fenced ^= line.starts_with("```");
        let Some(code) = line.strip_prefix("    ").or(is_fenced.then_some(line)) else { continue };
        let code = code.split(" #").next().unwrap_or_default();
        let words: Vec<_> = code.split_whitespace().collect();
        match words.as_slice() {
            ["rk1", ..] => commands.push(words),
            ["cargo", "run", "--", arguments @ ..] => commands.push([&["rk1"], arguments].concat()),
            _ => {}
        }
    }
    commands
}

#[test]
fn commands_are_understood() {
    let mut seen = 0;
    for (page, text) in pages() {
        for command in commands(&text) {
            let words = command.iter().take_while(|word| !["|", ">", "<"].contains(word));
            let parsed = Arguments::command().try_get_matches_from(words);
            assert!(parsed.is_ok(), "{}: {command:?}: {}", page.display(), parsed.expect_err("an error"));
            seen += 1;
        }
    }
    assert!(seen >= 4, "only {seen} commands were found");
}

/// The names of the direct dependencies in a manifest.
fn dependencies(manifest: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(manifest).expect("a manifest");
    let table: toml::Table = text.parse().expect("TOML");
    let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
    let section = |name: &&str| table.get(*name).and_then(toml::Value::as_table).cloned();
    let entries = sections.iter().filter_map(section).flatten();
    // A crate of this workspace is no dependency in this sense.
    entries.filter(|(_, value)| value.get("path").is_none()).map(|(name, _)| name).collect()
}

/// The manifests of the workspace, and the one of the BPF program beside it.
fn manifests(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("entry").path()) {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name == "Cargo.toml" {
            found.push(entry);
        } else if entry.is_dir() && name != "target" && !name.starts_with('.') {
            manifests(&entry, found);
        }
    }
}

#[test]
fn each_dependency_has_its_reason() {
    let mut found = Vec::new();
    manifests(Path::new(ROOT), &mut found);
    let used: BTreeSet<_> = found.iter().flat_map(|manifest| dependencies(manifest)).collect();
    let page =
        fs::read_to_string(Path::new(ROOT).join("docs/dependencies.md")).expect("docs/dependencies.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next().map(str::to_owned));
    assert_eq!(rows.collect::<BTreeSet<_>>(), used);
}
