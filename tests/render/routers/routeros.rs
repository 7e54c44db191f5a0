//! Each command and argument of `RouterOS` against the command tree of its version.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::cluster::{EXTERNAL_ROUTEROS, dual_stack, dual_stack_routeros, rendered, routeros, with_router};
use crate::requirement::skipped;

/// Menus outside BGP that the trees do not hold. Nothing else may be used.
const UNSEEN: [&str; 4] =
    ["ip/firewall/address-list", "ip/firewall/filter", "ipv6/firewall/address-list", "ipv6/firewall/filter"];

/// A command: its menu, its verb and the names of its arguments.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Command {
    menu: String,
    verb: String,
    arguments: Vec<String>,
}

/// The trees by version, where they are.
fn trees(test: &str) -> Option<Value> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/schemas/routeros/bgp-commands-by-version.json");
    let Ok(json) = std::fs::read_to_string(&path) else {
        skipped(test, "../shared/schemas/routeros is not there");
        return None;
    };
    Some(serde_json::from_str(&json).expect("JSON"))
}

/// The commands of a script, those in brackets too. Comments, strings and the script's own words are left out.
fn commands(script: &str) -> Vec<Command> {
    let mut found = Vec::new();
    for line in script.lines().filter(|line| !line.starts_with('#')) {
        let bare = without_strings(line);
        for part in bare.split(['[', ']', '{', '}', ';']).map(str::trim) {
            let is_menu = |word: &str| word.starts_with('/') || word.starts_with("routing/");
            let mut words = part.split_whitespace();
            // `do=`, `:pick` and such stand before a menu only where brackets or braces have cut already.
            let Some(path) = words.next().filter(|word| is_menu(word)) else { continue };
            let mut path = path.trim_start_matches('/').to_owned();
            if path.ends_with('/') {
                path += words.next().expect("a verb");
            }
            let (menu, verb) = path.rsplit_once('/').expect("a menu and a verb");
            let arguments =
                words.filter_map(|word| word.split_once('=')).map(|(name, _)| name.to_owned()).collect();
            found.push(Command { menu: menu.to_owned(), verb: verb.to_owned(), arguments });
        }
        // What `[find …]` cuts off from a `set` are arguments of it all the same.
        if let Some((head, tail)) = bare.split_once("set [find")
            && let Some((_, arguments)) = tail.split_once(']')
        {
            let menu = head.trim().trim_matches('/').to_owned();
            let names = arguments.split_whitespace().filter_map(|word| word.split_once('='));
            found.push(Command {
                menu,
                verb: "set".to_owned(),
                arguments: names.map(|(name, _)| name.to_owned()).collect(),
            });
        }
    }
    found
}

/// The line with its strings emptied.
fn without_strings(line: &str) -> String {
    let mut bare = String::new();
    let mut in_string = false;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' if in_string => {
                characters.next();
            }
            '"' => in_string = !in_string,
            _ if in_string => {}
            _ => bare.push(character),
        }
    }
    assert!(!in_string, "a string is not closed: {line}");
    bare
}

/// What of the script the tree does not know.
fn unknown(script: &str, tree: &Value) -> BTreeSet<String> {
    let mut unknown = BTreeSet::new();
    for command in commands(script) {
        let name = format!("/{}/{}", command.menu, command.verb);
        if UNSEEN.contains(&command.menu.as_str()) {
            continue;
        }
        let menu = &tree[&command.menu];
        if !menu["cmds"].as_array().is_some_and(|verbs| verbs.contains(&Value::from(command.verb.as_str()))) {
            unknown.insert(name);
            continue;
        }
        // `find` and `set` take the properties that `add` sets.
        for argument in command.arguments {
            if menu["add"].get(&argument).is_none() {
                unknown.insert(format!("{name} {argument}"));
            }
        }
    }
    unknown
}

fn scripts(text: String) -> Vec<String> {
    rendered(text).into_iter().map(|document| document.body).collect()
}

#[test]
fn every_command_and_argument_is_known_to_its_version() {
    let Some(trees) = trees("every_command_and_argument_is_known_to_its_version") else { return };
    let mut checked = 0;
    for (version, tree) in [
        ("7.9", "7.9"),
        ("7.12", "7.12.2"),
        ("7.16", "7.16"),
        ("7.18", "7.18.2"),
        ("7.19", "7.19.6"),
        ("7.20", "7.20"),
        ("7.20.8", "7.20.8"),
        ("7.21", "7.21.5"),
        ("7.22", "7.22.3"),
        ("7.23", "7.23.3"),
        ("7.24", "7.24rc1"),
    ] {
        for script in [routeros(version), dual_stack_routeros(version)].into_iter().flat_map(scripts) {
            assert_eq!(unknown(&script, &trees[tree]), BTreeSet::new(), "{version}:\n{script}");
            checked += commands(&script).len();
        }
    }
    let external = [with_router(EXTERNAL_ROUTEROS), dual_stack(EXTERNAL_ROUTEROS)];
    for script in external.into_iter().flat_map(scripts) {
        assert_eq!(unknown(&script, &trees["7.22.3"]), BTreeSet::new(), "{script}");
    }
    assert!(checked > 800, "only {checked} commands were found");
}

/// The check can fail: each version's file has what the version before it does not know.
#[test]
fn a_file_for_another_version_is_refused() {
    let Some(trees) = trees("a_file_for_another_version_is_refused") else { return };
    let of = |version: &str, tree: &str| {
        let unknown = unknown(&scripts(routeros(version)).concat(), &trees[tree]);
        unknown.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(of("7.18", "7.19.6"), ["/routing/bgp/connection/add address-families"]);
    assert_eq!(of("7.19", "7.18.2"), ["/routing/bgp/connection/add afi"]);
    let instance = [
        "/routing/bgp/connection/add instance",
        "/routing/bgp/connection/set instance",
        "/routing/bgp/instance/add",
        "/routing/bgp/instance/find",
        "/routing/bgp/instance/remove",
        "/routing/bgp/instance/set",
    ];
    assert_eq!(of("7.20", "7.19.6"), instance);
    assert_eq!(of("7.22", "7.21.5"), ["/routing/bgp/instance/set multipath"]);
}

/// The first file checks for each thing before it adds it, and the undo file removes all of them.
#[test]
fn every_addition_is_checked_first_and_undone() {
    let dual_stack = [dual_stack_routeros("7.18"), dual_stack(EXTERNAL_ROUTEROS)];
    let ipv4 = [routeros("7.18"), routeros("7.22"), with_router(EXTERNAL_ROUTEROS)];
    for text in ipv4.into_iter().chain(dual_stack) {
        let documents = rendered(text);
        let [remove, apply] = documents.as_slice() else { unreachable!("two files") };
        assert!(remove.name.ends_with(".remove.rsc"));
        let lines: Vec<&str> = apply.body.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let Some((menu, _)) = line
                .split_once("/add ")
                .or_else(|| line.split_once("/ add "))
                .filter(|_| !line.starts_with('#'))
            else {
                continue;
            };
            let menu = menu.trim_start_matches('/');
            let guard = lines[..number].iter().rev().find(|line| line.contains("[:len ")).expect("a guard");
            // The firewall's rule is added in one of two ways, both inside the search for it.
            let guards = if menu.ends_with("/firewall/filter") {
                lines[..number].join("\n")
            } else {
                (*guard).to_owned()
            };
            assert!(guards.contains(&format!("[/{menu}/find ")), "{line}");
            assert!(remove.body.contains(&format!("/{menu}/remove [find ")), "{line}");
        }
    }
}
