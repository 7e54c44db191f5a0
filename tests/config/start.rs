//! What a newcomer meets first: `rk1 init`, the schema, completions and manual pages.

#![allow(clippy::expect_used, reason = "what is not as it should be ends the run")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use rk1::config::cluster::Cluster;
use rk1::config::diagnostics::{Problems, Severity};
use rk1::config::source::Source;
use rk1::config::written::schema::schema;
use serde_json::Value;

fn rk1(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rk1"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .expect("rk1 runs")
}

/// What `rk1 init` writes.
fn started() -> String {
    let folder = tempfile::tempdir().expect("temporary folder");
    assert!(rk1(folder.path(), &["init"]).status.success());
    fs::read_to_string(folder.path().join("cluster.toml")).expect("cluster.toml")
}

fn problems(text: String) -> Problems {
    let mut problems = Problems::default();
    Cluster::parse(&Source { name: "cluster.toml".to_owned(), text }, &mut problems);
    problems
}

/// The empty addresses filled in, in the order of the file: gateway, BMC, nodes, router.
fn filled(mut text: String) -> String {
    let nodes = (221..=224).map(|host| format!("172.16.10.{host}/24"));
    let addresses = ["172.16.10.1".to_owned(), "172.16.10.220".to_owned()].into_iter().chain(nodes);
    for address in addresses.chain(["172.16.10.1".to_owned()]) {
        text = text.replacen("= \"\"", &format!("= \"{address}\""), 1);
    }
    text
}

#[test]
fn init_asks_for_addresses_and_names_its_placeholders() {
    let problems = problems(started());
    let messages: Vec<_> =
        problems.in_order().into_iter().map(|problem| problem.mistake.to_string()).collect();
    let placeholder = "`00000000-0000-0000-0000-000000000000` is a placeholder";
    let expected = [
        vec!["`example.org` is an example: nobody has this domain"],
        vec!["this is the example key, whose private key does not exist"],
        vec!["the address is empty"; 7],
        vec![placeholder; 3],
        vec!["`grafana.example.org` is an example: nobody has this domain"],
    ];
    assert_eq!(messages, expected.concat());
    assert_eq!((problems.count(Severity::Error), problems.count(Severity::Warning)), (7, 6));
}

#[test]
fn init_passes_once_the_addresses_are_filled_in() {
    assert_eq!(problems(filled(started())).count(Severity::Error), 0);
}

/// Each commented default is what the tool takes when the line stays commented: uncommenting changes no rendering.
#[test]
fn the_commented_values_are_accepted_too() {
    let uncommented: String = filled(started())
        .lines()
        .map(|line| {
            let setting = line.strip_prefix("# ").filter(|rest| {
                rest.starts_with("[storage.binds]")
                    || rest.starts_with("[bgp.router.status]")
                    || rest.starts_with("\"/")
                    || rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
            });
            setting.unwrap_or(line).to_owned() + "\n"
        })
        .collect();
    let problems = problems(uncommented);
    assert_eq!(problems.count(Severity::Error), 0, "{problems:?}");
}

#[test]
fn init_shows_every_key_of_the_schema() {
    let text = started();
    let schema = schema();
    let tables = schema["definitions"].as_object().expect("definitions").values().chain([&schema]);
    for key in tables.filter_map(|table| table["properties"].as_object()).flat_map(serde_json::Map::keys) {
        let is_shown = text.lines().any(|line| {
            let line = line.trim_start_matches(['#', ' ']);
            line.starts_with(&format!("{key} ="))
                || line.trim_matches(['[', ']']).split('.').any(|part| part == key)
        });
        assert!(is_shown, "`rk1 init` does not show `{key}`");
    }
}

#[test]
fn init_overwrites_nothing() {
    let folder = tempfile::tempdir().expect("temporary folder");
    fs::write(folder.path().join("cluster.toml"), "mine").expect("own file");
    let output = rk1(folder.path(), &["init"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: `cluster.toml` exists already\n  hint: move it away, or name another file with `--file`\n"
    );
    assert_eq!(fs::read_to_string(folder.path().join("cluster.toml")).expect("own file"), "mine");
}

#[test]
fn the_published_schema_is_fresh() {
    let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cluster.schema.json");
    let published: Value =
        serde_json::from_str(&fs::read_to_string(published).expect("schema")).expect("JSON");
    assert_eq!(published, schema(), "run `cargo run -- schema > docs/cluster.schema.json`");
}

#[test]
fn completions_and_manual_pages_come_from_the_same_definitions() {
    let folder = tempfile::tempdir().expect("temporary folder");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = rk1(folder.path(), &["completions", shell]);
        assert!(
            output.status.success() && String::from_utf8_lossy(&output.stdout).contains("rk1"),
            "{shell}"
        );
    }
    assert!(rk1(folder.path(), &["man", "pages"]).status.success());
    let mut pages: Vec<_> = fs::read_dir(folder.path().join("pages"))
        .expect("pages")
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .collect();
    pages.sort();
    let expected = [
        "rk1-check.1",
        "rk1-completions.1",
        "rk1-deploy.1",
        "rk1-diagram.1",
        "rk1-doctor.1",
        "rk1-flash.1",
        "rk1-init.1",
        "rk1-inspect.1",
        "rk1-join.1",
        "rk1-lab.1",
        "rk1-man.1",
        "rk1-pin.1",
        "rk1-render.1",
        "rk1-schema.1",
        "rk1-secrets.1",
        "rk1-status.1",
        "rk1.1",
    ];
    assert_eq!(pages, expected);
}

/// Routers print more than the version itself.
#[test]
fn a_version_is_read_as_the_router_prints_it() {
    let printed = [
        ("routeros", "7.18.2 (stable)", "7.18.2"),
        ("routeros", "v7.20.4", "7.20.4"),
        ("frr", "FRRouting 8.4.4 (gateway) on Linux(6.1.0)", "8.4.4"),
        ("bird", "BIRD 2.0.12", "2.0.12"),
        ("vyos", "Version: VyOS 1.4.2", "1.4.2"),
        ("opnsense", "OPNsense 24.7.3_1-amd64", "24.7.3_1-amd64"),
    ];
    for (platform, printed, expected) in printed {
        let text = filled(started())
            .replace("platform = \"routeros\"", &format!("platform = \"{platform}\""))
            .replace("version = \"7.18\"", &format!("version = \"{printed}\""));
        let source = Source { name: "cluster.toml".to_owned(), text };
        let cluster = Cluster::parse(&source, &mut Problems::default()).expect("a cluster");
        assert_eq!(cluster.routers()[0].version, expected, "{printed}");
    }
}
