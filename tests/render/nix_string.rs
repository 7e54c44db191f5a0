//! What is written into Nix strings is what Nix reads from them: asked of the real evaluator.

#![allow(clippy::expect_used, reason = "what is not as it should be ends the run")]

#[path = "../requirement/mod.rs"]
mod requirement;

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use rk1::render::nix;

const CASES: usize = 2_000;

/// Text of any kind, rich in what could go wrong: interpolation, quotes of both kinds, backslashes, line ends.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("${".to_owned()),
        Just("$${".to_owned()),
        Just("$".to_owned()),
        Just("''".to_owned()),
        Just("''${".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("\\n".to_owned()),
        Just("\n".to_owned()),
        Just("\r".to_owned()),
        Just("\r\n".to_owned()),
        Just("\t".to_owned()),
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("#".to_owned()),
        Just("/* */".to_owned()),
        any::<char>().prop_filter("a NUL is refused", |character| *character != '\0').prop_map(String::from),
    ];
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

#[test]
fn nix_reads_back_every_string() {
    if Command::new("nix-instantiate").arg("--version").output().is_err() {
        return requirement::skipped("nix_reads_back_every_string", "nix-instantiate is not installed");
    }
    let mut runner = TestRunner::new(Config::default());
    let strings: Vec<String> =
        (0..CASES).map(|_| text().new_tree(&mut runner).expect("text").current()).collect();
    let items: String = strings.iter().map(|string| nix::string(string).expect("no NUL") + "\n").collect();

    let mut evaluator = Command::new("nix-instantiate")
        .args(["--eval", "--strict", "--json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("nix-instantiate starts");
    evaluator.stdin.take().expect("stdin").write_all(format!("[\n{items}]").as_bytes()).expect("write");
    let output = evaluator.wait_with_output().expect("nix-instantiate ends");
    assert!(output.status.success());
    let read: Vec<String> = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(read.len(), CASES);
    for (read, written) in read.iter().zip(&strings) {
        assert_eq!(read, written);
    }
}

#[test]
fn a_nul_byte_is_refused() {
    assert!(nix::string("before\0after").is_err());
}

#[test]
fn interpolation_is_escaped() {
    let written = nix::string("a ${b} $${c} \"d\" \\ ''e'' \n\r\t").expect("no NUL");
    assert_eq!(written, r#""a \${b} $\${c} \"d\" \\ ''e'' \n\r\t""#);
}
