//! Public keys that are damaged in one place: `rk1 check` accepts none that `ssh-keygen -l` refuses.

#![allow(clippy::expect_used, reason = "a failed step ends the test")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use data_encoding::BASE64;
use rk1::config::cluster::Cluster;
use rk1::config::diagnostics::{Problems, Severity};
use rk1::config::source::Source;

#[path = "../requirement/mod.rs"]
mod requirement;

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1yYXRoZXIgbG9uZyBidXQgbm90IGEgcmVhbCBrZXkh operator";

fn is_accepted(line: &str) -> bool {
    let text = include_str!("check/base.toml");
    assert_eq!(text.matches(KEY).count(), 1);
    let text = text.replace(KEY, line);
    let mut problems = Problems::default();
    Cluster::parse(&Source { name: "cluster.toml".to_owned(), text }, &mut problems);
    problems.count(Severity::Error) == 0
}

fn openssh_accepts(line: &str) -> bool {
    let mut program = Command::new("ssh-keygen")
        .args(["-l", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("ssh-keygen runs");
    let mut input = program.stdin.take().expect("a pipe");
    // It may end before it has read everything.
    let _ = input.write_all(line.as_bytes()).and_then(|()| input.write_all(b"\n"));
    drop(input);
    program.wait().expect("ssh-keygen ends").success()
}

/// The public half of a new key.
fn generated(folder: &Path, kind: &str, bits: &str) -> String {
    let file = folder.join(format!("{kind}-{bits}"));
    let status = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-b", bits, "-N", "", "-C", "operator", "-f"])
        .arg(&file)
        .status()
        .expect("ssh-keygen runs");
    assert!(status.success(), "{kind} {bits}");
    fs::read_to_string(file.with_extension("pub")).expect("the public key").trim().to_owned()
}

/// Lines that differ from a good one in one place of its type or of its bytes.
fn damaged(line: &str) -> Vec<String> {
    let mut words = line.split(' ');
    let (outer, blob) = (words.next().expect("type"), words.next().expect("key"));
    let bytes = BASE64.decode(blob.as_bytes()).expect("base64");
    let with = |bytes: &[u8]| format!("{outer} {} operator", BASE64.encode(bytes));
    let mut lines = Vec::new();
    // Every byte of the head, and a sample of the rest: a point of a curve is damaged by any of its bits.
    for position in (0..bytes.len().min(40)).chain((40..bytes.len()).step_by(17)) {
        for flip in [0x01, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[position] ^= flip;
            lines.push(with(&changed));
        }
    }
    lines.extend([1, 2, 3, 20, bytes.len() / 2].map(|less| with(&bytes[..bytes.len() - less])));
    lines.extend([vec![0], vec![0; 4], vec![7; 33]].map(|more| with(&[bytes.clone(), more].concat())));
    lines.extend(
        ["ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-dss"]
            .map(|other| format!("{other} {blob} operator")),
    );
    lines.push(format!("{outer} {} operator", &blob[1..]));
    lines.push(format!("{outer} {blob}AAAA operator"));
    lines.push(format!("{outer} {}", blob.to_ascii_lowercase()));
    lines
}

#[test]
fn a_key_that_openssh_refuses_is_refused() {
    if Command::new("ssh-keygen").arg("-?").output().is_err() {
        requirement::skipped("a_key_that_openssh_refuses_is_refused", "ssh-keygen is not installed");
        return;
    }
    let folder = tempfile::tempdir().expect("temporary folder");
    let kinds = [("ed25519", "256"), ("ecdsa", "256"), ("ecdsa", "384"), ("ecdsa", "521"), ("rsa", "2048")];
    let mut tried = 0;
    for (kind, bits) in kinds {
        let line = generated(folder.path(), kind, bits);
        assert!(is_accepted(&line) && openssh_accepts(&line), "{line}");
        for line in damaged(&line) {
            assert!(!is_accepted(&line) || openssh_accepts(&line), "only rk1 accepts: {line}");
            tried += 1;
        }
    }
    assert!(tried > 600, "{tried}");
}
