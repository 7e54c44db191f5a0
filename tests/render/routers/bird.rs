//! What BIRD's own parser says of the files.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cluster::{BIRD, EXTERNAL_BIRD, dual_stack, rendered, with_router};
use crate::requirement::skipped;

/// Whether `bird -p` takes the file from a configuration that includes it, and what it says.
fn bird(folder: &Path, text: &str) -> Option<(bool, String)> {
    let password = folder.join("rk1-turing-pi.password");
    fs::write(&password, "password \"not the real one\";\n").expect("password");
    // The router's own paths cannot be written to: the file's only reference to them is moved.
    let text = text.replace("/etc/bird/rk1-turing-pi.password", &password.display().to_string());
    let (part, whole) = (folder.join("rk1.conf"), folder.join("bird.conf"));
    fs::write(&part, text).expect("rk1.conf");
    fs::write(&whole, format!("router id 172.16.10.1;\ninclude \"{}\";\n", part.display()))
        .expect("bird.conf");
    let output = Command::new("bird")
        .arg("-p")
        .arg("-c")
        .arg(&whole)
        .env("PATH", format!("/usr/sbin:{}", std::env::var("PATH").unwrap_or_default()))
        .output()
        .ok()?;
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn bird_accepts_every_line() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let texts =
        [BIRD, EXTERNAL_BIRD].into_iter().flat_map(|router| [with_router(router), dual_stack(router)]);
    for text in texts {
        let documents = rendered(text);
        assert_eq!(documents.len(), 1);
        let Some(said) = bird(folder.path(), &documents[0].body) else {
            return skipped("bird_accepts_every_line", "bird is not installed");
        };
        assert_eq!(said, (true, String::new()), "{}", documents[0].body);
    }
}

#[test]
fn bird_refuses_a_wrong_line() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let body = rendered(with_router(BIRD)).swap_remove(0).body;
    let Some((is_taken, said)) = bird(folder.path(), &body.replace("passive yes", "pasive yes")) else {
        return skipped("bird_refuses_a_wrong_line", "bird is not installed");
    };
    assert!(!is_taken && said.contains("syntax error"), "{said}");
}
