//! A host as Nix evaluates it, and the contents of those store paths that need no program to be built.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const STORE: &str = "/nix/store/";
/// The length of the hash in the name of a store path, with its hyphen.
const HASH: usize = 33;

/// A host, with every derivation that its system consists of.
pub(crate) struct Evaluation {
    pub(crate) host: Value,
    /// The environments of derivations by the store path of each output.
    derivations: BTreeMap<String, Value>,
    /// Nix writes here what it evaluates.
    store: TempDir,
}

/// What becomes of a store path in the tree of a machine.
enum Content {
    /// A copy of sources of the repository or of nixpkgs.
    Source(PathBuf),
    /// A text, and its place below the store path.
    Text { text: String, place: String, executable: bool },
    /// A package. Debian's programs are there instead.
    Package,
}

impl Evaluation {
    pub(crate) fn new(name: &str) -> Result<Self, String> {
        let store = tempfile::tempdir().expect("a folder");
        let remote = format!("local?root={}", store.path().display());
        let nix = |program: &str, arguments: &[&str]| {
            let output = Command::new(program)
                .args(arguments)
                .env("NIX_REMOTE", &remote)
                .output()
                .map_err(|error| format!("{program}: {error}"))?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into_owned());
            }
            serde_json::from_slice::<Value>(&output.stdout).map_err(|error| error.to_string())
        };
        let expression = format!("import {ROOT}/tests/boot/host.nix {{ name = \"{name}\"; }}");
        let host = nix(
            "nix-instantiate",
            &["--read-write-mode", "--eval", "--strict", "--json", "--expr", &expression],
        )?;
        let system = host["derivation"].as_str().expect("a derivation");
        let features = "--extra-experimental-features";
        let shown = nix("nix", &[features, "nix-command", "show-derivation", "--recursive", system])?;
        let mut derivations = BTreeMap::new();
        for derivation in shown.as_object().expect("derivations").values() {
            for output in derivation["outputs"].as_object().expect("outputs").values() {
                if let Some(path) = output["path"].as_str() {
                    derivations.insert(path.to_owned(), derivation["env"].clone());
                }
            }
        }
        Ok(Self { host, derivations, store })
    }

    fn content(&self, path: &str) -> Content {
        let copy = self.store.path().join(path.trim_start_matches('/'));
        if copy.exists() {
            return Content::Source(copy);
        }
        let Some(environment) = self.derivations.get(path) else { return Content::Package };
        let get = |key: &str| environment[key].as_str().unwrap_or_default();
        let builder = get("buildCommand");
        let executable = !get("executable").is_empty() || !get("isExecutable").is_empty();
        if let Some(text) = environment["text"].as_str() {
            // writeTextFile and writeUnit
            let place = if let Some(name) = builder.strip_prefix("name=") {
                format!("/{}", name.lines().next().unwrap_or_default().trim_matches('\''))
            } else {
                let target = builder.split_once("target=$out").map_or("", |(_, rest)| rest);
                target.lines().next().unwrap_or_default().trim_matches('\'').to_owned()
            };
            return Content::Text { text: text.to_owned(), place, executable };
        }
        let read = |path: &str| match self.content(path) {
            Content::Source(file) => fs::read_to_string(file).unwrap_or_default(),
            Content::Text { text, .. } => text,
            Content::Package => String::new(),
        };
        if builder.starts_with("file=$out$destination") {
            // concatTextFile
            let text = get("files").split_whitespace().map(read).collect();
            return Content::Text { text, place: String::new(), executable };
        }
        if let Some((file, rest)) =
            builder.strip_prefix("cat ").and_then(|rest| rest.split_once(" - >$out <<EOL\n"))
        {
            // sshd's configuration
            let text = settings(&read(file)) + rest.split("\nEOL\n").next().unwrap_or_default() + "\n";
            return Content::Text { text, place: String::new(), executable };
        }
        let is_script = Path::new(get("name")).extension().is_some_and(|extension| extension == "sh");
        if is_script && !get("src").is_empty() {
            // replaceVars
            let mut text = read(get("src"));
            for (key, value) in environment.as_object().expect("an environment") {
                text = text.replace(&format!("@{key}@"), value.as_str().unwrap_or_default());
            }
            return Content::Text { text, place: String::new(), executable };
        }
        Content::Package
    }

    /// Returns the text of a file in the store.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        let (base, rest) = split(path)?;
        match self.content(base) {
            Content::Text { text, place, .. } if place == rest => Some(text),
            Content::Source(file) => fs::read_to_string(file.join(rest.trim_start_matches('/'))).ok(),
            _ => None,
        }
    }

    /// Returns the text that the derivation of this name makes.
    pub(crate) fn named(&self, name: &str) -> String {
        let path = self.derivations.iter().find(|(_, environment)| environment["name"] == name);
        let (path, _) = path.unwrap_or_else(|| panic!("no derivation is called {name}"));
        self.text(path).unwrap_or_else(|| panic!("{name} is not a text"))
    }

    /// Returns a value of the derivation that makes this path.
    pub(crate) fn environment(&self, path: &str, key: &str) -> String {
        self.derivations[path][key].as_str().unwrap_or_default().to_owned()
    }

    /// Puts into `root` every store path that a text names, with those that these name in turn. Returns the packages.
    pub(crate) fn place(&self, root: &Path, text: &str) -> BTreeSet<String> {
        let mut waiting = paths(text);
        let mut done = BTreeSet::new();
        let mut packages = BTreeSet::new();
        while let Some(path) = waiting.pop_first() {
            if !done.insert(path.clone()) {
                continue;
            }
            let target = root.join(path.trim_start_matches('/'));
            fs::create_dir_all(root.join("nix/store")).expect("a folder");
            if fs::symlink_metadata(&target).is_ok() {
                continue;
            }
            match self.content(&path) {
                Content::Source(copy) => {
                    let copied = Command::new("cp").arg("-a").arg(&copy).arg(&target).status();
                    assert!(copied.expect("cp").success(), "{}", copy.display());
                    if let Ok(text) = fs::read_to_string(&copy) {
                        waiting.extend(paths(&text));
                    }
                }
                Content::Text { text, place, executable } => {
                    let file = PathBuf::from(format!("{}{place}", target.display()));
                    write(&file, &text, if executable { 0o755 } else { 0o644 });
                    waiting.extend(paths(&text));
                }
                Content::Package => {
                    let name = &path[STORE.len() + HASH..];
                    let stand_in =
                        format!("/opt/stand-ins/{}", name.split(['-', '.']).next().unwrap_or(name));
                    let is_there = root.join(stand_in.trim_start_matches('/')).exists();
                    symlink(if is_there { &stand_in } else { "/usr" }, &target).expect("a link");
                    packages.insert(name.to_owned());
                }
            }
        }
        packages
    }
}

/// Returns sshd's settings, which are JSON before they are built, as it reads them.
fn settings(json: &str) -> String {
    let value: Value = serde_json::from_str(json).unwrap_or_default();
    let mut text = String::new();
    for (key, value) in value.as_object().into_iter().flatten() {
        let value = match value {
            Value::Null => continue,
            Value::Bool(is_set) => if *is_set { "yes" } else { "no" }.to_owned(),
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
            Value::String(word) => word.clone(),
            number => number.to_string(),
        };
        text.extend([key, " ", &value, "\n"]);
    }
    text
}

/// Writes a file whose folder may be missing.
pub(crate) fn write(file: &Path, text: &str, mode: u32) {
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    // What is there may be a link of Debian's.
    let _ = fs::remove_file(file);
    fs::write(file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).expect("a mode");
}

/// Splits a path into that of the store and the rest.
fn split(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix(STORE)?;
    let end = rest.find('/').unwrap_or(rest.len());
    Some(path.split_at(STORE.len() + end))
}

/// Returns the store paths that a text names.
fn paths(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "+-._?=".contains(c);
    text.split(STORE)
        .skip(1)
        .filter_map(|rest| {
            let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            let name = rest.get(..end)?;
            let (hash, _) = name.split_once('-')?;
            (hash.len() + 1 == HASH).then(|| format!("{STORE}{name}"))
        })
        .collect()
}
