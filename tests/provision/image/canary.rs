//! The bytes of a seed are in the seed partition and nowhere else.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use rk1::config::modules::Hardware;
use rk1::provision::seed::Seeded;

use crate::cluster::{cluster, folder, identity, node, partition, put, seed};
use crate::composed::{Composed, HOST};
use crate::first_boot::holds_secret;
use crate::program::rk1;

#[test]
fn no_debug_output_and_no_error_shows_a_secret() {
    let folder = folder();
    let seed = seed(folder.path(), HOST);
    let partition = rk1::provision::seed::partition(&seed, &identity(HOST)).unwrap();
    let mut told = format!("{seed:?} {:?} {partition:?}", seed.files);
    if let Some(image) = Composed::new("no_debug_output_and_no_error_shows_a_secret") {
        let bytes = image.bytes();
        let mut seeded = Seeded::new(&bytes[..], partition).unwrap();
        seeded.read_exact(&mut vec![0; 20 << 20]).unwrap();
        write!(told, "{seeded:?}").unwrap();
        let again = Seeded::new(seeded, crate::cluster::partition(HOST));
        write!(told, "{:?}", again.err()).unwrap();
        write!(told, "{:?}", rk1::provision::image::inspect(&image.seeded(HOST)[..], Hardware::DEFAULT))
            .unwrap();
    }
    // A secret where a key is expected is named, and its bytes are not shown.
    put(folder.path(), "rk1-01-ssh", b"canary-not-a-key");
    let cluster = cluster();
    let refused = rk1::provision::seed::for_node(&cluster, node(&cluster, HOST), folder.path()).unwrap_err();
    write!(told, "{refused} {refused:?}").unwrap();
    assert!(told.contains("k3s-token") && told.contains("rk1-01-ssh"), "{told}");
    assert!(!holds_secret(told.as_bytes()), "{told}");
}

#[test]
fn commands_show_no_secret() {
    let Some(image) = Composed::new("commands_show_no_secret") else { return };
    let folder = folder();
    fs::write(folder.path().join("seeded.img"), image.seeded(HOST)).unwrap();
    for arguments in
        [&["inspect", "seeded.img"][..], &["inspect", "--json", "seeded.img"], &["secrets"], &["check"]]
    {
        let output = rk1(folder.path(), arguments);
        assert!(!output.stderr.is_empty(), "{arguments:?}");
        assert!(!holds_secret(&[output.stdout, output.stderr].concat()), "{arguments:?}");
    }
}

/// Returns the regular files that a process has open, including those without a name.
fn open_files(id: u32) -> Vec<Vec<u8>> {
    let folder = format!("/proc/{id}/fd");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| fs::metadata(path).is_ok_and(|metadata| metadata.is_file()));
    files.map(|path| fs::read(path).unwrap()).collect()
}

fn files_in(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

/// Kills an inspection of an image with a seed while it is running.
#[test]
fn a_killed_inspection_leaves_nothing_behind() {
    let test = "a_killed_inspection_leaves_nothing_behind";
    let Some(image) = Composed::new(test) else { return };
    let bytes = image.seeded(HOST);
    assert!(holds_secret(&bytes));
    let temporary = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_rk1"))
        .args(["inspect", "/dev/stdin"])
        .env("TMPDIR", temporary.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(&bytes[..bytes.len() - (1 << 20)]).unwrap();
    // The pipe has room again when the process has read what was in it.
    input.write_all(&bytes[bytes.len() - (1 << 20)..bytes.len() - 4096]).unwrap();

    let kept = open_files(child.id());
    assert!(kept.iter().any(|file| !file.is_empty()), "nothing was kept: the test sees nothing");
    assert!(kept.iter().all(|file| !holds_secret(file)));
    assert_eq!(files_in(temporary.path()), 0);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(files_in(temporary.path()), 0);
}

#[test]
fn a_partition_holds_no_secret_of_another_node() {
    let for_agent = partition("rk1-04");
    for (name, secret) in crate::cluster::SECRETS {
        let is_there = for_agent.bytes().windows(secret.len()).any(|window| window == secret.as_bytes());
        assert_eq!(is_there, ["grafana-token", "k3s-agent-token"].contains(&name), "{name}");
    }
}
