//! Whether what a script of ours runs is in its path: a unit of NixOS and a build see the programs of the packages that
//! they name, not those of the machine that the script was tested on.

use crate::evaluator::{Nix, ROOT};
use crate::{requirement, surface};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The script as shfmt parses it; nothing where shfmt is not installed.
fn syntax(script: &str) -> Option<Value> {
    let mut shfmt = Command::new("shfmt")
        .args(["--language-dialect=bash", "--to-json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    shfmt.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = shfmt.wait_with_output().unwrap();
    assert!(output.status.success(), "shfmt cannot read\n{script}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// Names of the commands that a script calls, and of the functions that it defines. A name that is made up when the
/// script runs is not among them.
fn names<'a>(node: &'a Value, called: &mut BTreeSet<&'a str>, defined: &mut BTreeSet<&'a str>) {
    match node["Type"].as_str() {
        Some("CallExpr") => called.extend(node["Args"][0]["Parts"][0]["Value"].as_str()),
        Some("FuncDecl") => defined.extend(node["Name"]["Value"].as_str()),
        _ => {}
    }
    match node {
        Value::Object(fields) => fields.values().for_each(|below| names(below, called, defined)),
        Value::Array(items) => items.iter().for_each(|below| names(below, called, defined)),
        _ => {}
    }
}

fn builtins() -> BTreeSet<String> {
    let output = Command::new("bash").args(["-c", "compgen -b"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The text of a script of ours that a unit's command names, such as `/nix/store/…-prepare-disk.sh`.
fn named(command: &str) -> Option<String> {
    let is_script = |word: &&str| Path::new(word).extension().is_some_and(|extension| extension == "sh");
    let (_, name) = command.split_whitespace().find(is_script)?.rsplit_once('-')?;
    let mut files = Vec::new();
    crate::collect(Path::new(ROOT), "sh", &mut files);
    let file = files.into_iter().find(|file| {
        let file = file.file_name().unwrap().to_string_lossy();
        file == name || file.ends_with(&format!("-{name}"))
    })?;
    let script = std::fs::read_to_string(&file).unwrap();
    // What it reads from beside it.
    let beside = script.lines().filter_map(|line| line.strip_prefix(". \"${BASH_SOURCE[0]%/*}/"));
    let beside = beside.map(|name| file.with_file_name(name.trim_end_matches('"')));
    let beside: String = beside.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    Some(script + &beside)
}

#[test]
fn every_script_finds_its_programs() {
    let test = "every_script_finds_its_programs";
    let Some(nix) = Nix::new(test) else { return };
    if syntax("true").is_none() {
        requirement::skipped(test, "shfmt is not installed (Debian: shfmt)");
        return;
    }
    let surface = surface();
    let builtins = builtins();
    let scripts = nix.value("report.scripts");
    let mut read = 0;
    for (host, scripts) in scripts.as_object().unwrap() {
        for (name, unit) in scripts.as_object().unwrap() {
            let given = unit["script"].as_str().unwrap();
            let script =
                if given.contains('\n') { given.to_owned() } else { named(given).unwrap_or_default() };
            let tree = syntax(&script).unwrap();
            let (mut called, mut defined) = (BTreeSet::new(), BTreeSet::new());
            names(&tree, &mut called, &mut defined);

            let of_packages = crate::strings(&unit["packages"]).into_iter().flat_map(|package| {
                surface["packages"][package]["programs"].as_array().into_iter().flatten()
            });
            let found: BTreeSet<&str> = of_packages
                .chain(unit["programs"].as_array().into_iter().flatten())
                .map(|program| program.as_str().unwrap())
                .chain(builtins.iter().map(String::as_str))
                .collect();
            for program in called {
                assert!(
                    found.contains(program) || defined.contains(program),
                    "{host}: {name} runs `{program}`, which no package of its path has"
                );
                read += usize::from(!builtins.contains(program));
            }
        }
    }
    assert!(read > 200, "only {read} calls");
}

#[test]
fn every_path_to_a_program_leads_to_one() {
    let surface = surface();
    let mut files = Vec::new();
    crate::collect(Path::new(ROOT), "nix", &mut files);
    let mut read = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap().replace("config.systemd.package", "pkgs.systemd");
        for reference in text.split("${pkgs.").skip(1) {
            let Some((package, rest)) = reference.split_once("}/bin/") else { continue };
            let end = |byte: char| !(byte.is_ascii_alphanumeric() || "-_.".contains(byte));
            let program = rest.split(end).next().unwrap_or_default();
            let known = surface["packages"][package]["programs"].as_array().into_iter().flatten();
            assert!(
                known.into_iter().any(|known| known == program),
                "{}: surface.json knows no {program} in {package}",
                file.display()
            );
            read += 1;
        }
    }
    assert!(read > 5, "only {read} paths");
}
