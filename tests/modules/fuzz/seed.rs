//! The seed partition: only regular files with the names of secrets are moved, no link is followed, and whatever it holds, the
//! script ends, and sshd starts after it.
//!
//! The filesystem of a seed is a FAT, which has no links, pipes and sockets. This is a folder, which has: the script does not
//! rely on the FAT alone. tests/provision/image runs it with a FAT.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::hostile::{Random, each, files, program, run, script, search_path};
use crate::requirement::skipped;

/// Programs that do nothing here. Syncing the filesystem of the tests' folder would take most of the time.
const STAND_INS: [&str; 3] = ["mount", "sync", "umount"];
const OWNER: &str = "turing-pi/rk1-01";

/// A block device of this test, of which the script only checks that it is one.
struct Device {
    path: String,
    _file: tempfile::NamedTempFile,
}

impl Device {
    fn new() -> Option<Self> {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(1 << 20).unwrap();
        let output = Command::new("losetup").args(["--find", "--show"]).arg(file.path()).output().ok()?;
        let path = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        output.status.success().then_some(Self { path, _file: file })
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["--detach", &self.path]).status();
    }
}

/// Puts something hostile at a path.
fn plant(path: &Path, victim: &Path, random: &mut Random) {
    let fifo = |kind| {
        let mode = rustix::fs::Mode::from_raw_mode(0o644);
        rustix::fs::mknodat(rustix::fs::CWD, path, kind, mode, 0)
    };
    let _ = match random.below(6) {
        0 => symlink(victim, path),
        1 => symlink(victim.with_file_name("made"), path),
        2 => fs::create_dir(path),
        3 => fifo(rustix::fs::FileType::Fifo).map_err(Into::into),
        4 => fifo(rustix::fs::FileType::Socket).map_err(Into::into),
        _ => fs::write(path, vec![b'x'; 70_000]),
    };
}

#[test]
fn a_seed_brings_files_and_nothing_else() {
    const TEST: &str = "a_seed_brings_files_and_nothing_else";
    let Some(device) = Device::new() else {
        return skipped(TEST, "it needs root and loop devices");
    };
    each(|input, mut random| {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["bin", "seed", "node/secrets", "node/ssh", "outside"] {
            fs::create_dir_all(path(name)).unwrap();
        }
        for name in STAND_INS {
            program(&path("bin").join(name), "#!/bin/sh\n");
        }
        let victim = path("outside/victim");
        fs::write(&victim, "kept").unwrap();

        let mut expected: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for number in 0..random.below(8) {
            let (name, bytes) = (format!("s{number}{}", random.name()), random.bytes(200));
            fs::write(path("seed").join(format!("secret.{name}")), &bytes).unwrap();
            expected.insert(name, bytes);
        }
        for _ in 0..random.below(6) {
            let start = random.pick(&["secret.x", "secret.", "secret..", "secret", "ssh_host_x_key", ""]);
            let name = format!("{start}{}", random.name());
            let is_name =
                !name.is_empty() && name != "." && name != ".." && name != "HOST" && name != "TAKEN";
            if is_name && !path("seed").join(&name).exists() {
                plant(&path("seed").join(name), &victim, &mut random);
            }
        }
        let mut is_for_us = true;
        match random.below(8) {
            0 => fs::write(path("seed/HOST"), random.text()).unwrap(),
            1 => plant(&path("seed/HOST"), &victim, &mut random),
            2 => {
                fs::write(path("seed/HOST"), OWNER).unwrap();
                plant(&path("seed/TAKEN"), &victim, &mut random);
            }
            _ => {
                fs::write(path("seed/HOST"), OWNER).unwrap();
                is_for_us = false;
            }
        }
        let is_whole = !std::mem::replace(&mut is_for_us, true);
        let output = run(
            script("node-secrets.sh", folder.path())
                .env("PATH", search_path(&path("bin")))
                .env("SEED_DEVICE", &device.path)
                .env("SECRETS", path("node/secrets"))
                .env("SSH_KEYS", path("node/ssh"))
                .env("RUNTIME_DIRECTORY", path("seed"))
                .envs([("CLUSTER", "turing-pi"), ("NODE", "rk1-01")]),
            folder.path(),
            input,
        );
        assert_eq!(fs::read(&victim).unwrap(), b"kept", "{input}: {output:?}");
        assert_eq!(files(&path("outside")), [Path::new("victim")], "{input}: {output:?}");
        let moved: BTreeMap<_, _> = files(&path("node/secrets"))
            .into_iter()
            .map(|name| (name.display().to_string(), fs::read(path("node/secrets").join(&name)).unwrap()))
            .collect();
        if is_whole {
            assert!(output.status.success(), "{input}: {output:?}");
            assert_eq!(moved, expected, "{input}: {output:?}");
        } else {
            let is_expected = |(name, bytes): (&String, &Vec<u8>)| expected.get(name) == Some(bytes);
            assert!(moved.iter().all(is_expected), "{input}: {moved:?}: {output:?}");
        }
        // No control character of a name reaches the console.
        assert!(!output.stderr.contains(&0x1b), "{input}: {output:?}");
    });
}

#[test]
fn a_seed_of_many_files_ends_soon_and_is_refused() {
    let Some(device) = Device::new() else {
        return skipped("a_seed_of_many_files_ends_soon_and_is_refused", "it needs root and loop devices");
    };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["bin", "seed"] {
        fs::create_dir(path(name)).unwrap();
    }
    for name in STAND_INS {
        program(&path("bin").join(name), "#!/bin/sh\n");
    }
    fs::write(path("seed/HOST"), OWNER).unwrap();
    for number in 0..3000 {
        fs::write(path("seed").join(format!("secret.s{number}")), "x").unwrap();
    }
    let output = run(
        script("node-secrets.sh", folder.path())
            .env("PATH", search_path(&path("bin")))
            .env("SEED_DEVICE", &device.path)
            .env("SECRETS", path("secrets"))
            .env("SSH_KEYS", path("ssh"))
            .env("RUNTIME_DIRECTORY", path("seed"))
            .envs([("CLUSTER", "turing-pi"), ("NODE", "rk1-01")]),
        folder.path(),
        0,
    );
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told, "error: the seed has more than 256 files: nothing was moved\n");
    assert!(files(&path("secrets")).is_empty());
}
