//! What `modules/storage/use-filesystem.sh` does with filesystems that exist: run on loop devices, as the module runs it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::case::Outcome::{self, Halted, Kept, Refused, Repaired};
use crate::contents::{made_by, noise};
use crate::disk::{Disk, MIB};
use crate::script::{Run, use_filesystem};
use crate::tool::{can_run, output, shell};

/// Where the superblock of ext4 is in the 64 KiB that a fingerprint has for it.
const SUPERBLOCK: u64 = 0;
/// XFS needs that much.
const SIZE: u64 = 400 * MIB;

/// Disks, of which the first is asked for, and the files that must be on it afterwards.
struct Given {
    disks: Vec<Disk>,
    uuid: String,
    files: BTreeMap<String, Vec<u8>>,
    /// Whether the disk is that of the system.
    is_of_system: bool,
    /// Whether it is mounted when the script runs.
    is_mounted: bool,
}

pub struct Row {
    /// The first column of the table in docs/storage.md.
    pub disk: &'static str,
    pub outcome: Outcome,
    given: fn() -> Given,
}

const EXT4: &str = "ready: `/dev/sda`, an existing ext4 filesystem, used as it is";
const XFS: &str = "ready: `/dev/sda`, an existing xfs filesystem, used as it is";

macro_rules! refused_as {
    ($kind:literal) => {
        Refused(concat!(
            "`/dev/sda` holds ",
            $kind,
            "; a filesystem that is used as it is must be ext4 or xfs"
        ))
    };
}

pub const ROWS: &[Row] = &[
    Row { disk: "ext4 on the whole disk", outcome: Kept(EXT4), given: || filled("mkfs.ext4 -q -U") },
    Row { disk: "XFS on the whole disk", outcome: Kept(XFS), given: || filled("mkfs.xfs -q -m uuid=") },
    Row {
        disk: "ext4 in a partition of a foreign GPT",
        outcome: Kept("ready: `/dev/sda1`, an existing ext4 filesystem, used as it is"),
        given: || {
            let uuid = new_uuid();
            let line = "sgdisk --clear --new=1:0:0 --typecode=1:8300 \"$1\" >/dev/null; partx --update \"$1\" 2>/dev/null || \
                        partx --add \"$1\"; mkfs.ext4 -q -U ";
            Given { uuid: uuid.clone(), ..bare(made_by(SIZE, &format!("{line}{uuid} \"$1\"p1"))) }
        },
    },
    Row {
        disk: "ext4, mounted already",
        outcome: Kept("ready: `/dev/sda`, already mounted, left unchanged"),
        given: || Given { is_mounted: true, ..filled("mkfs.ext4 -q -U") },
    },
    Row {
        disk: "ext4, power lost while in use",
        outcome: Repaired(EXT4),
        given: || {
            let mut given = filled("mkfs.ext4 -q -U");
            let mut attached = given.disks[0].attach();
            let root = attached.mount(&attached.device.clone(), "noatime");
            fs::write(root.join("late"), noise(100_000)).unwrap();
            shell("sync -- \"$1\"/late; sync", &[root.as_os_str()]);
            given.files.insert("late".to_owned(), noise(100_000));
            let torn = given.disks[0].copy();
            drop(attached);
            Given { disks: vec![torn], ..given }
        },
    },
    Row {
        disk: "ext4, errors that need a decision",
        outcome: Halted("`/dev/sda` has errors that need a decision; it is not mounted"),
        given: || {
            let given = filled("mkfs.ext4 -q -U");
            let attached = given.disks[0].attach();
            let line =
                "debugfs -w -R 'clri <2>' \"$1\" 2>/dev/null; debugfs -w -R 'ssv state 2' \"$1\" 2>/dev/null";
            shell(line, &[attached.device.as_os_str()]);
            drop(attached);
            Given { files: BTreeMap::new(), ..given }
        },
    },
    Row { disk: "btrfs", outcome: refused_as!("btrfs"), given: || empty("mkfs.btrfs -q -U") },
    Row { disk: "swap", outcome: refused_as!("swap"), given: || empty("mkswap -q -U") },
    Row {
        disk: "missing",
        outcome: Refused("no filesystem with the UUID `UUID` appeared in time; k3s starts when it appears"),
        given: || bare(Disk::blank(SIZE)),
    },
    Row {
        disk: "erased since",
        outcome: Refused("no filesystem with the UUID `UUID` appeared in time; k3s starts when it appears"),
        given: || {
            let given = empty("mkfs.ext4 -q -U");
            let attached = given.disks[0].attach();
            shell("wipefs --all --quiet -- \"$1\"", &[attached.device.as_os_str()]);
            drop(attached);
            given
        },
    },
    Row {
        disk: "plugged in with a copy of it",
        outcome: Refused("2 filesystems have the UUID `UUID`: /dev/sda /dev/sdb; none is mounted"),
        given: || {
            let mut given = empty("mkfs.ext4 -q -U");
            given.disks.push(given.disks[0].copy());
            given
        },
    },
    Row {
        disk: "on the disk that holds the system",
        outcome: Refused("`/dev/sda` is on the disk that holds the system"),
        given: || Given { is_of_system: true, ..empty("mkfs.ext4 -q -U") },
    },
];

fn new_uuid() -> String {
    fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap().trim().to_owned()
}

fn bare(disk: Disk) -> Given {
    Given {
        disks: vec![disk],
        uuid: new_uuid(),
        files: BTreeMap::new(),
        is_of_system: false,
        is_mounted: false,
    }
}

/// A disk that `mkfs`, which ends with the option of the UUID, has made a filesystem on.
fn empty(mkfs: &str) -> Given {
    let uuid = new_uuid();
    let between = if mkfs.ends_with('=') { "" } else { " " };
    Given { uuid: uuid.clone(), ..bare(made_by(SIZE, &format!("{mkfs}{between}{uuid} \"$1\""))) }
}

/// The same with files on it.
fn filled(mkfs: &str) -> Given {
    let given = empty(mkfs);
    let files =
        BTreeMap::from([("dir/large".to_owned(), noise(3_000_000)), ("note".to_owned(), b"kept".to_vec())]);
    let mut attached = given.disks[0].attach();
    let root = attached.mount(&attached.device.clone(), "noatime");
    fs::create_dir(root.join("dir")).unwrap();
    for (path, bytes) in &files {
        fs::write(root.join(path), bytes).unwrap();
    }
    drop(attached);
    Given { files, ..given }
}

impl Row {
    fn check(&self) {
        let given = (self.given)();
        let before = given.disks[0].fingerprint();
        let first = self.run(&given, "first run");
        let between = given.disks[0].fingerprint();
        self.run(&given, "second run");
        let after = given.disks[0].fingerprint();
        match self.outcome {
            Kept(_) | Refused(_) => before.assert_same(&between, self.disk),
            Halted(_) => before.assert_same_but_for(&between, &[SUPERBLOCK], self.disk),
            _ => assert_ne!(before, between, "{}: the first run did nothing:\n{}", self.disk, first.stderr),
        }
        between.assert_same_but_for(&after, &[SUPERBLOCK], self.disk);
    }

    fn run(&self, given: &Given, when: &str) -> Run {
        let mut attached: Vec<_> = given.disks.iter().map(Disk::attach).collect();
        // The script names them in this order. Only copies are attached together, so it does not matter which is which.
        attached.sort_by(|one, other| one.device.cmp(&other.device));
        let devices: Vec<_> = attached.iter().map(|disk| disk.device.clone()).collect();
        let is_in_use = given.is_mounted || given.is_of_system;
        let root = is_in_use.then(|| attached[0].mount(&devices[0], "ro,noload"));
        let run = use_filesystem(&given.uuid, &devices, root.as_deref().filter(|_| given.is_of_system));
        assert_eq!(run.verdict(), self.outcome.verdict(), "{}, {when}:\n{}", self.disk, run.stderr);
        let is_refused = matches!(self.outcome, Refused(_) | Halted(_));
        assert_eq!(
            (run.code, run.link.is_none()),
            (Some(i32::from(is_refused)), is_refused),
            "{}",
            run.stderr
        );
        if let Some(link) = run.link.as_ref().filter(|_| !given.is_mounted) {
            let is_xfs = self.outcome.verdict() == XFS;
            let root = attached[0].mount(link, if is_xfs { "ro,norecovery" } else { "ro,noload" });
            self.compare(&given.files, &root);
        }
        run
    }

    fn compare(&self, files: &BTreeMap<String, Vec<u8>>, root: &Path) {
        for (path, bytes) in files {
            assert!(fs::read(root.join(path)).unwrap() == *bytes, "{}: `{path}` changed", self.disk);
        }
    }
}

#[test]
fn each_filesystem() {
    if !can_run("existing::each_filesystem", &["mkfs.xfs", "mkfs.btrfs", "mkswap", "blkid", "debugfs"]) {
        return;
    }
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    let has_xfs = known.split_whitespace().any(|name| name == "xfs")
        || std::process::Command::new("modprobe").arg("xfs").status().is_ok_and(|status| status.success());
    for row in ROWS {
        if row.disk.starts_with("XFS") && !has_xfs {
            crate::requirement::skipped("storage: existing::each_filesystem", "this kernel has no XFS");
            continue;
        }
        row.check();
    }
    // The script has nothing that could format.
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/modules/storage/use-filesystem.sh");
    assert!(!output("cat", [script]).lines().any(|line| line.trim_start().starts_with("mkfs")));
}
