//! The root filesystem grows to the end of its disk: the script of the image on a loop device with partitions.
//!
//! The filesystem is not mounted here, as it is on a node: growing a mounted one needs `CAP_SYS_RESOURCE`, which root in a
//! container often lacks.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::composed::Composed;
use crate::program::{lacks, run, try_run};
use crate::requirement;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/images/grow-root.sh");
const MIB: u64 = 1 << 20;

/// The image on a disk of 256 MiB, with its partitions as devices.
struct Emmc {
    device: String,
    _directory: tempfile::TempDir,
}

impl Emmc {
    fn new(test: &str) -> Option<Self> {
        let image = Composed::new(test)?;
        if lacks(test, &["bash", "dumpe2fs", "losetup", "partx", "resize2fs", "sfdisk"]) {
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let disk = directory.path().join("emmc.img");
        fs::write(&disk, image.bytes()).unwrap();
        fs::File::options().write(true).open(&disk).unwrap().set_len(256 * MIB).unwrap();
        let device = match try_run("losetup", &["--find", "--show", "--partscan", disk.to_str().unwrap()]) {
            Ok(output) => output.trim().to_owned(),
            Err(error) => {
                requirement::skipped(test, &format!("no loop device can be had: {error}"));
                return None;
            }
        };
        let emmc = Self { device, _directory: directory };
        let _ = try_run("partx", &["--add", &emmc.device]);
        if !Path::new(&emmc.root()).exists() {
            requirement::skipped(test, "loop devices have no partitions here");
            return None;
        }
        Some(emmc)
    }

    fn root(&self) -> String {
        format!("{}p2", self.device)
    }

    fn boot(&self, resize: Option<&Path>) -> Output {
        let path = std::env::var("PATH").unwrap();
        let path = resize.map_or(path.clone(), |folder| format!("{}:{path}", folder.display()));
        Command::new("bash").arg(SCRIPT).env("ROOT_DEVICE", self.root()).env("PATH", path).output().unwrap()
    }

    /// Returns the partitions without their devices, and the size of the root filesystem in bytes.
    fn state(&self) -> (Value, u64) {
        let mut table: Value = serde_json::from_str(&run("sfdisk", &["--json", &self.device])).unwrap();
        for partition in table["partitiontable"]["partitions"].as_array_mut().unwrap() {
            partition.as_object_mut().unwrap().remove("node");
        }
        let told = run("dumpe2fs", &["-h", &self.root()]);
        let number = |key: &str| {
            let line = told.lines().find_map(|line| line.strip_prefix(key)).unwrap();
            line.trim().parse::<u64>().unwrap()
        };
        (table["partitiontable"]["partitions"].take(), number("Block count:") * number("Block size:"))
    }
}

impl Drop for Emmc {
    fn drop(&mut self) {
        let _ = try_run("partx", &["--delete", &self.device]);
        let _ = try_run("losetup", &["--detach", &self.device]);
    }
}

fn grown() -> Value {
    serde_json::json!([
        { "start": 32768, "size": 32768, "type": "e" },
        { "start": 65536, "size": 458_752, "type": "83", "bootable": true },
    ])
}

#[test]
fn the_root_filesystem_grows_once() {
    let Some(emmc) = Emmc::new("the_root_filesystem_grows_once") else { return };
    assert_eq!(emmc.state().1, 20 * MIB);
    for boot in ["first", "second"] {
        let output = emmc.boot(None);
        assert!(output.status.success(), "{boot}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(emmc.state(), (grown(), 224 * MIB), "{boot}");
    }
    // Its files are still there.
    run("e2fsck", &["-f", "-n", &emmc.root()]);
}

#[test]
fn a_power_loss_after_the_partition_has_grown_is_recovered() {
    let Some(emmc) = Emmc::new("a_power_loss_after_the_partition_has_grown_is_recovered") else { return };
    let folder = tempfile::tempdir().unwrap();
    crate::disk::write_program(&folder.path().join("resize2fs"), "#!/bin/sh\nkill -KILL $PPID\n");
    assert!(!emmc.boot(Some(folder.path())).status.success());
    assert_eq!(emmc.state(), (grown(), 20 * MIB));
    let output = emmc.boot(None);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(emmc.state(), (grown(), 224 * MIB));
}
