//! Checks which part of the source tree imports which, as docs/architecture.md describes it.
//!
//! `src/` consists of four wings, the command line above them, and a ground floor of modules that several wings share. The
//! sources are read as tokens, so that comments and strings do not count, while paths inside macros do.

#![allow(clippy::expect_used, reason = "a failed step is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Each wing, and the wings that it may import. Every other module of `src/`, which is `common`, belongs to the ground floor:
/// all wings may import it, and it imports no wing.
const WINGS: [(&str, &[&str]); 5] = [
    ("config", &[]),
    ("render", &["config"]),
    ("provision", &["config", "render"]),
    ("operate", &["config", "render"]),
    ("cli", &["config", "render", "provision", "operate"]),
];

/// A path of modules and items below `crate`, for example `["config", "cluster", "Cluster"]`.
type ItemPath = Vec<String>;

struct SourceFile {
    /// Relative to `src/`.
    file: PathBuf,
    module: ItemPath,
    /// Is this the file that declares the module's children, `mod.rs` or `foo.rs` beside `foo/`?
    has_children: bool,
    imports: BTreeSet<ItemPath>,
    /// The functions, types and constants that the file defines at its top level.
    defines: BTreeSet<String>,
    /// The children that are compiled for tests only.
    test_modules: Vec<ItemPath>,
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn module_of(file: &Path) -> ItemPath {
    let mut module: Vec<_> =
        file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        module.pop();
    }
    module
}

fn is_punctuation(token: Option<&TokenTree>, expected: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punctuation)) if punctuation.as_char() == expected)
}

fn identifier(token: Option<&TokenTree>) -> Option<String> {
    match token {
        Some(TokenTree::Ident(identifier)) => Some(identifier.to_string()),
        _ => None,
    }
}

/// Adds the paths that begin at `tokens[at]` with the segment there, following `::` and braces.
fn paths_at(tokens: &[TokenTree], mut at: usize, mut prefix: ItemPath, found: &mut BTreeSet<ItemPath>) {
    loop {
        match tokens.get(at) {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inside: Vec<_> = group.stream().into_iter().collect();
                let mut start = 0;
                for (index, token) in inside.iter().enumerate() {
                    if is_punctuation(Some(token), ',') {
                        start = index + 1;
                    } else if index == start {
                        paths_at(&inside, start, prefix.clone(), found);
                    }
                }
                return;
            }
            Some(TokenTree::Ident(name)) => {
                let name = name.to_string();
                if name == "super" {
                    prefix.pop();
                } else if name != "self" {
                    prefix.push(name);
                }
            }
            _ => break,
        }
        if !is_punctuation(tokens.get(at + 1), ':') || !is_punctuation(tokens.get(at + 2), ':') {
            break;
        }
        at += 3;
    }
    found.insert(prefix);
}

/// Collects the paths that start with `crate` or `super`. `module` is the module that the tokens stand in.
fn imports(tokens: TokenStream, module: &ItemPath, found: &mut BTreeSet<ItemPath>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => {
                let name = index.checked_sub(1).and_then(|before| identifier(tokens.get(before)));
                let is_module =
                    index >= 2 && identifier(tokens.get(index - 2)).is_some_and(|word| word == "mod");
                let inner = match name {
                    Some(name) if is_module => [module.as_slice(), &[name]].concat(),
                    _ => module.clone(),
                };
                imports(group.stream(), &inner, found);
            }
            TokenTree::Ident(word) => {
                let continues =
                    is_punctuation(tokens.get(index + 1), ':') && is_punctuation(tokens.get(index + 2), ':');
                let is_first = index == 0 || !is_punctuation(tokens.get(index - 1), ':');
                match word.to_string().as_str() {
                    "crate" if continues => paths_at(&tokens, index + 3, Vec::new(), found),
                    "super" if continues && is_first => paths_at(&tokens, index, module.clone(), found),
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

fn definitions(tokens: TokenStream) -> BTreeSet<String> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let kinds = ["fn", "struct", "enum", "trait", "const", "static", "type", "union"];
    let defined = tokens.windows(2).filter_map(|pair| match pair {
        [TokenTree::Ident(kind), TokenTree::Ident(name)] if kinds.contains(&kind.to_string().as_str()) => {
            Some(name.to_string())
        }
        _ => None,
    });
    defined.collect()
}

/// Returns the modules that a file declares for tests only: `#[cfg(test)] mod mutation;`.
fn test_modules(tokens: TokenStream) -> Vec<String> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let declared = tokens.iter().enumerate().filter(|(_, token)| {
        matches!(token, TokenTree::Group(group) if group.stream().to_string().replace(' ', "") == "cfg(test)")
    });
    let names = declared.filter_map(|(index, _)| {
        // A visibility, such as `pub(crate)`, may come first.
        let after = tokens.get(index + 1..)?.iter().take(4).collect::<Vec<_>>();
        let at = after.iter().position(|token| identifier(Some(token)).is_some_and(|word| word == "mod"))?;
        is_punctuation(after.get(at + 2).copied().or(tokens.get(index + at + 3)), ';')
            .then(|| identifier(after.get(at + 1).copied()))?
    });
    names.collect()
}

/// Reads all files of a source folder.
fn sources(folder: &str) -> Vec<SourceFile> {
    let folder = Path::new(ROOT).join(folder);
    let mut files = Vec::new();
    rust_files(&folder, &mut files);
    files.sort();
    let read = files.iter().map(|path| {
        let text = fs::read_to_string(path).expect("a source file");
        let tokens: TokenStream = text.parse().expect("Rust");
        let file = path.strip_prefix(&folder).expect("a file of the folder").to_owned();
        let module = module_of(&file);
        let mut found = BTreeSet::new();
        imports(tokens.clone(), &module, &mut found);
        let has_children = path.ends_with("mod.rs") || path.with_extension("").is_dir();
        let below = |name| [module.as_slice(), &[name]].concat();
        let test_modules = test_modules(tokens.clone()).into_iter().map(below).collect();
        let defines = definitions(tokens);
        SourceFile { file, module, has_children, imports: found, defines, test_modules }
    });
    read.collect()
}

#[test]
fn a_wing_imports_only_what_it_may() {
    let mut wrong = Vec::new();
    let may_import: BTreeMap<_, _> = WINGS.into_iter().collect();
    for source in sources("src") {
        let Some(from) = source.module.first() else { continue };
        let allowed = may_import.get(from.as_str()).copied().unwrap_or_default();
        for path in &source.imports {
            let Some(to) = path.first() else { continue };
            if to != from && may_import.contains_key(to.as_str()) && !allowed.contains(&to.as_str()) {
                wrong.push(format!(
                    "{}: `{from}` may not import `{}`",
                    source.file.display(),
                    path.join("::")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Returns the room of a path: a module below a wing or below `common`, for example `config::cluster`.
fn room(path: &[String], rooms: &BTreeSet<String>) -> Option<String> {
    let below_wing = path.get(..2).map(|two| two.join("::")).filter(|name| rooms.contains(name));
    below_wing.or_else(|| path.first().filter(|name| rooms.contains(*name)).cloned())
}

fn all_rooms(sources: &[SourceFile]) -> BTreeSet<String> {
    let for_tests: Vec<_> = sources.iter().flat_map(|source| &source.test_modules).collect();
    let in_program = sources.iter().filter(|source| !for_tests.contains(&&source.module));
    let names = in_program.filter_map(|source| match source.module.as_slice() {
        // The command line has no rooms: a file for each subcommand, and what they share.
        [wing, ..] if wing == "cli" => Some(wing.clone()),
        [wing, room, ..] => Some(format!("{wing}::{room}")),
        [_] | [] => None,
    });
    names.collect()
}

/// The rooms, and the rooms that each imports.
fn arrows(sources: &[SourceFile]) -> BTreeMap<String, BTreeSet<String>> {
    let rooms = all_rooms(sources);
    let mut arrows: BTreeMap<_, BTreeSet<_>> =
        rooms.iter().map(|room| (room.clone(), BTreeSet::new())).collect();
    for source in sources {
        let Some(from) = room(&source.module, &rooms) else { continue };
        let to = source.imports.iter().filter_map(|path| room(path, &rooms)).filter(|to| *to != from);
        arrows.entry(from.clone()).or_default().extend(to);
    }
    arrows
}

/// Returns the number of floors: a room stands one floor above the highest of those that it imports.
fn floors(mut left: BTreeMap<String, BTreeSet<String>>) -> usize {
    let mut floors = 0;
    while !left.is_empty() {
        let floor: BTreeSet<_> =
            left.iter().filter(|(_, imports)| imports.is_empty()).map(|(name, _)| name.clone()).collect();
        assert!(!floor.is_empty(), "these rooms import each other in a circle: {left:#?}");
        left.retain(|name, _| !floor.contains(name));
        for imports in left.values_mut() {
            imports.retain(|name| !floor.contains(name));
        }
        floors += 1;
    }
    floors
}

/// Returns the modules of `src/lib.rs`, and which other ones each imports.
fn modules() -> BTreeMap<String, BTreeSet<String>> {
    let mut modules: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let sources = sources("src");
    let names: BTreeSet<_> = sources.iter().filter_map(|source| source.module.first()).collect();
    for source in &sources {
        let Some(from) = source.module.first() else { continue };
        let to = source.imports.iter().filter_map(|path| path.first());
        let others = to.filter(|to| *to != from && names.contains(to)).cloned();
        modules.entry(from.clone()).or_default().extend(others);
    }
    modules
}

#[test]
fn the_tree_is_small_and_has_no_circle() {
    let modules = modules();
    let arrows: usize = modules.values().map(BTreeSet::len).sum();
    let (rooms, floors) = (modules.len(), floors(modules));
    println!("src: {rooms} modules on {floors} floors, {arrows} arrows between them");
    assert!(
        rooms <= 15 && floors <= 6 && arrows <= 20,
        "{rooms} modules on {floors} floors, {arrows} arrows"
    );
}

/// Draws the wings above the ground floor.
fn drawn(modules: &BTreeMap<String, BTreeSet<String>>) -> String {
    let mut lines = vec!["graph TD".to_owned()];
    for (wing, _) in WINGS.iter().rev() {
        let imports = modules.get(*wing).into_iter().flatten();
        lines.extend(imports.map(|to| format!("    {wing} --> {to}")));
    }
    let rooms = all_rooms(&sources("src"));
    let shared: Vec<_> = rooms.iter().filter_map(|room| room.strip_prefix("common::")).collect();
    lines.push(format!("    common[\"common: {}\"]", shared.join(", ")));
    lines.join("\n") + "\n"
}

/// `SNAPSHOTS=overwrite` writes the picture.
#[test]
fn the_picture_is_fresh() {
    const BEGIN: &str = "```mermaid\n";
    let path = Path::new(ROOT).join("docs/architecture.md");
    let page = fs::read_to_string(&path).expect("docs/architecture.md");
    let start = page.find(BEGIN).expect("a picture") + BEGIN.len();
    let end = start + page[start..].find("```").expect("its end");
    let picture = drawn(&modules());
    if std::env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
        fs::write(&path, [&page[..start], &picture, &page[end..]].concat()).expect("docs/architecture.md");
    } else {
        assert_eq!(&page[start..end], picture, "`SNAPSHOTS=overwrite cargo test --test structure` draws it");
    }
}

#[test]
fn no_circle_of_rooms() {
    let arrows = arrows(&sources("src"));
    let (rooms, count) = (arrows.len(), arrows.values().map(BTreeSet::len).sum::<usize>());
    println!("with the modules inside the wings: {rooms} on {} floors, {count} arrows", floors(arrows));
}

/// A folder's `mod.rs` is its table of contents. What its children share stands in a file with a name.
#[test]
fn no_file_imports_what_its_parent_defines() {
    let sources = sources("src");
    let parents: BTreeMap<_, _> = sources
        .iter()
        .filter(|source| source.has_children)
        .map(|source| (source.module.as_slice(), source))
        .collect();
    let mut wrong = Vec::new();
    for source in &sources {
        for path in &source.imports {
            let Some((name, module)) = path.split_last() else { continue };
            let is_below = source.module.len() > module.len() && source.module.starts_with(module);
            let is_defined = parents.get(module).is_some_and(|parent| parent.defines.contains(name));
            if is_below && is_defined && !module.is_empty() {
                wrong.push(format!("{} imports {}", source.file.display(), path.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Neither program is built from the other's sources.
#[test]
fn the_two_programs_do_not_share_sources() {
    let mut files = Vec::new();
    for folder in ["src", "ebpf"] {
        rust_files(&Path::new(ROOT).join(folder), &mut files);
    }
    let crates = ["packet_object", "packet_parser", "packet_record", "packet_ring", "xdp_streamer"];
    for path in files.iter().filter(|path| !path.iter().any(|part| part == "target")) {
        let tokens: TokenStream = fs::read_to_string(path).expect("a source file").parse().expect("Rust");
        let mut words = BTreeSet::new();
        collect_words(tokens, &mut words);
        let is_tool = path.starts_with(Path::new(ROOT).join("src"));
        let foreign: Vec<_> =
            if is_tool { crates.iter().filter(|name| words.contains(**name)).collect() } else { Vec::new() };
        assert!(foreign.is_empty(), "{} names {foreign:?}", path.display());
        assert!(is_tool || !words.contains("rk1"), "{} names the crate `rk1`", path.display());
    }
}

fn collect_words(tokens: TokenStream, words: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => collect_words(group.stream(), words),
            TokenTree::Ident(word) => drop(words.insert(word.to_string())),
            _ => {}
        }
    }
}
