//! What is written as YAML is what parsers read: the one that the tool uses, and another of YAML 1.1.

#![allow(clippy::expect_used, reason = "what is not as it should be ends the run")]

#[path = "../requirement/mod.rs"]
mod requirement;

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use rk1::render::yaml;
use serde_json::{Map, Value};

const CASES: usize = 1_000;

/// Text of any kind, rich in what YAML would take for something else.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        4 => prop::sample::select(vec![
            "", " ", "  ", "\n", "\r", "\r\n", "\t", "\"", "'", "\\", "\\n", ":", ": ", "#", " #", "- ", "-", "---",
            "...", "?", "|", ">", "&a", "*a", "!", "!!str", "%", "@", "`", "{", "}", "[", "]", ",", "<<", "=", "~",
            "null", "Null", "true", "Yes", "no", "NO", "on", "Off", "y", "N", ".inf", "-.INF", ".nan", "0", "007",
            "0x1f", "0o17", "1e3", "1_000", "12:30:45", "2026-11-22", "+1", "-1.5", "1.", "\u{85}", "\u{a0}",
            "\u{2028}", "\u{feff}", "\u{7f}", "\u{fffe}", "\u{1f980}", "é", "bgp", "cilium.io/v2",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(pieces, 0..5).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => text().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        // Quarters: exact in every notation.
        1 => any::<i32>().prop_map(|number| Value::from(f64::from(number) / 4.0)),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn generated<T>(strategy: impl Strategy<Value = T>) -> Vec<T>
where
    T: std::fmt::Debug,
{
    let mut runner = TestRunner::new(Config::default());
    (0..CASES).map(|_| strategy.new_tree(&mut runner).expect("a value").current()).collect()
}

#[test]
fn every_tree_is_read_back() {
    for value in generated(value()) {
        let written = yaml::block(&value, &[], 0);
        let read = yaml::parse(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
        // A document of nothing is no document to the parser.
        let expected = if value.is_null() { Vec::new() } else { vec![value] };
        assert!(read == expected || read == [Value::Null], "{written}\n{read:?}");
    }
}

#[test]
fn comments_and_margins_change_nothing() {
    let value = serde_json::json!({ "a": { "b": ["c", { "d": "e" }] }, "f": "no" });
    let comments: &[yaml::Comment<'_>] = &[(&["a", "b"], "first\nsecond"), (&["f"], "a word in quotes")];
    let written = yaml::block(&value, comments, 2);
    let expected =
        "  a:\n    # first\n    # second\n    b:\n      - c\n      - d: e\n  # a word in quotes\n  f: \"no\"";
    assert_eq!(written, expected);
    assert_eq!(yaml::parse(&written).expect("YAML"), [value]);
}

/// Kubernetes reads with a parser of YAML 1.1, as `PyYAML` is one.
#[test]
fn a_parser_of_yaml_1_1_reads_the_same() {
    let has_pyyaml = |output: std::process::Output| output.status.success();
    if !Command::new("python3").args(["-c", "import yaml"]).output().is_ok_and(has_pyyaml) {
        let because = "python3 with PyYAML is not installed (Debian: python3-yaml)";
        return requirement::skipped("a_parser_of_yaml_1_1_reads_the_same", because);
    }
    let values = generated(value());
    let documents: Vec<String> = values.iter().map(|value| yaml::block(value, &[], 0)).collect();
    let program =
        "import json, sys, yaml\nprint(json.dumps([yaml.safe_load(text) for text in json.load(sys.stdin)]))";
    let mut parser = Command::new("python3")
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 starts");
    let input = serde_json::to_vec(&documents).expect("JSON");
    parser.stdin.take().expect("stdin").write_all(&input).expect("write");
    let output = parser.wait_with_output().expect("python3 ends");
    assert!(output.status.success());
    let read: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    for ((read, written), value) in read.iter().zip(&documents).zip(&values) {
        assert_eq!(read, value, "{written}");
    }
}
