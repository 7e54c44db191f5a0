//! What becomes of disks on a node that encrypts, and of unencrypted disks by what the node remembers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use crate::case::Outcome::{self, Kept, Made, Refused, Repaired};
use crate::contents::noise;
use crate::disk::{Disk, MIB, ROOMY};
use crate::interruption::{Killer, table_only_on};
use crate::machine::runs_here;
use crate::script::{Node, Run, prepare_on};
use crate::tool::{can_run, shell};

/// A disk, the node that it is plugged into, and the files that must be on it afterwards.
struct Given {
    disk: Disk,
    node: Node,
    files: BTreeMap<String, Vec<u8>>,
}

pub struct Row {
    /// The first column of the table in docs/storage.md.
    pub disk: &'static str,
    pub outcome: Outcome,
    given: fn() -> Given,
}

const KEY: &str = "3f0c52a1d6f94e0b8a7c1d2e3f405162";
const OTHER_KEY: &str = "00000000000000000000000000000000";

const ENCRYPTED: &str = "ready: `/dev/nvme0n1p1`, encrypted, an ext4 filesystem without errors";
const READY: &str = "ready: `/dev/nvme0n1p1`, an ext4 filesystem without errors";
const WRONG_KEY: &str =
    "`/dev/nvme0n1p1` is encrypted, and the key of this node does not open it; nothing was written to it";
const NO_KEY: &str =
    "the key of `/dev/nvme0n1`, `/var/lib/rk1/key`, is missing; nothing was written to the disk";
const STRANGE: &str =
    "`/dev/nvme0n1p1` is not encrypted, and this node has not used it before; nothing was written to it";
const SWAPPED: &str =
    "`/dev/nvme0n1p1` is not the disk that this node used before; nothing was written to it";

pub const ROWS: &[Row] = &[
    Row { disk: "blank", outcome: Made(ENCRYPTED), given: || on(Node::with_key(KEY), Disk::blank(ROOMY)) },
    Row {
        disk: "blank, and the node has no key",
        outcome: Refused(NO_KEY),
        given: || on(Node::new(true), Disk::blank(ROOMY)),
    },
    Row {
        disk: "blank, and the node's key is too short",
        outcome: Refused(
            "the key of `/dev/nvme0n1`, `/var/lib/rk1/key`, is not a file of 32 to 65536 bytes; nothing was written to the disk",
        ),
        given: || on(Node::with_key("short"), Disk::blank(ROOMY)),
    },
    Row {
        disk: "its preparation interrupted before it was encrypted",
        outcome: Made(ENCRYPTED),
        given: || {
            let node = Node::with_key(KEY);
            on(node, noted())
        },
    },
    Row {
        disk: "its preparation interrupted while it was encrypted",
        outcome: Made(ENCRYPTED),
        given: || {
            let given = encrypted();
            let disk = noted();
            // The first of the two headers, and part of the keys.
            disk.write(
                MIB,
                &fs::read(given.disk.image()).unwrap()[usize::try_from(MIB).unwrap()..][..40_000],
            );
            on(Node::with_key(OTHER_KEY), disk)
        },
    },
    Row { disk: "encrypted, from last time", outcome: Kept(ENCRYPTED), given: encrypted },
    Row { disk: "encrypted, power lost while in use", outcome: Repaired(ENCRYPTED), given: in_use },
    Row {
        disk: "encrypted, copied to a larger disk",
        outcome: Repaired(ENCRYPTED),
        given: || {
            let given = encrypted();
            given.disk.resize(ROOMY + 300 * MIB);
            given
        },
    },
    Row {
        disk: "encrypted, the first copy of its header destroyed",
        outcome: Repaired(ENCRYPTED),
        given: || after(encrypted(), "dd if=/dev/zero of=\"$2\" bs=4096 count=1 conv=notrunc status=none"),
    },
    Row {
        disk: "encrypted, both copies of its header destroyed",
        outcome: Refused(
            "`/dev/nvme0n1p1` was created by rk1 and has lost its filesystem; nothing was written to it",
        ),
        given: || after(encrypted(), "dd if=/dev/zero of=\"$2\" bs=1M count=16 conv=notrunc status=none"),
    },
    Row {
        disk: "encrypted with another key",
        outcome: Refused(WRONG_KEY),
        given: || Given { node: Node::with_key(OTHER_KEY), ..encrypted() },
    },
    Row {
        disk: "encrypted, and the node has no key",
        outcome: Refused(NO_KEY),
        given: || Given { node: Node::new(true), ..encrypted() },
    },
    Row {
        disk: "encrypted, and the node does not encrypt",
        outcome: Refused(
            "`/dev/nvme0n1p1` is encrypted, and this node has no key for it; nothing was written to it",
        ),
        given: || Given { node: Node::new(false), ..encrypted() },
    },
    Row {
        disk: "forged: a header whose derivation takes a gigabyte of memory",
        outcome: Refused(WRONG_KEY),
        given: || {
            let given = encrypted();
            let line = format!(
                "printf {KEY} | cryptsetup luksFormat --batch-mode --type luks2 --pbkdf argon2id --pbkdf-memory 65536 \
                 --pbkdf-force-iterations 4 --key-file - \"$2\""
            );
            after(given, &line)
        },
    },
    Row {
        disk: "unencrypted, and the node has not used it",
        outcome: Refused(STRANGE),
        given: || Given { node: Node::with_key(KEY), ..unencrypted(&Node::new(false)) },
    },
    Row {
        disk: "unencrypted, and the node has used it",
        outcome: Kept(READY),
        given: || {
            let node = Node::with_key(KEY);
            Given { files: unencrypted(&node).files, disk: unencrypted(&node).disk, node }
        },
    },
    Row {
        disk: "unencrypted, and the node was flashed before disks were encrypted",
        outcome: Kept(READY),
        given: || Given { node: Node::new(true), ..unencrypted(&Node::new(false)) },
    },
    Row {
        disk: "unencrypted, another one than the node has used",
        outcome: Refused(SWAPPED),
        given: || {
            let node = Node::new(true);
            unencrypted(&node);
            Given { node, ..another() }
        },
    },
    Row {
        disk: "unencrypted, another one than the node has used, and the node does not encrypt",
        outcome: Refused(SWAPPED),
        given: || {
            let node = Node::new(false);
            unencrypted(&node);
            Given { node, ..another() }
        },
    },
];

fn on(node: Node, disk: Disk) -> Given {
    Given { disk, node, files: BTreeMap::new() }
}

/// Prepares the disk, and runs `with` with the mounted filesystem.
fn use_disk(disk: &Disk, node: &Node, options: &str, with: impl FnOnce(&Path)) -> Run {
    let mut attached = disk.attach();
    let run = prepare_on(node, &attached.device, None);
    if let Some(link) = &run.link {
        let root = attached.mount(link, options);
        with(&root);
        attached.unmount();
        close(link);
    }
    run
}

fn close(mapped: &Path) {
    if mapped.starts_with("/dev/mapper") {
        shell("DM_DISABLE_UDEV=1 cryptsetup close \"$1\"", &[mapped.file_name().unwrap()]);
    }
}

fn filled(node: Node) -> Given {
    let files = BTreeMap::from([
        ("k3s-rancher/state.db".to_owned(), noise(3_000_000)),
        ("note".to_owned(), b"kept".to_vec()),
    ]);
    let disk = Disk::blank(ROOMY);
    let run = use_disk(&disk, &node, "noatime", |root| {
        for (path, bytes) in &files {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), bytes).unwrap();
        }
    });
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    Given { disk, node, files }
}

/// A copy of a disk that is prepared once: that takes its time in an emulated machine.
fn encrypted() -> Given {
    static ONCE: LazyLock<Given> = LazyLock::new(|| filled(Node::with_key(KEY)));
    Given { disk: ONCE.disk.copy(), node: Node::with_key(KEY), files: ONCE.files.clone() }
}

/// A disk that the node knows.
fn unencrypted(node: &Node) -> Given {
    static ONCE: LazyLock<Given> = LazyLock::new(|| filled(Node::new(false)));
    fs::create_dir_all(node.record().parent().unwrap()).unwrap();
    fs::copy(ONCE.node.record(), node.record()).unwrap();
    Given { disk: ONCE.disk.copy(), node: Node::new(false), files: ONCE.files.clone() }
}

/// A disk that the node does not know.
fn another() -> Given {
    filled(Node::new(false))
}

/// A disk with a table, whose preparation was interrupted there.
fn noted() -> Disk {
    static ONCE: LazyLock<Disk> = LazyLock::new(|| table_only_on(&Node::new(false)));
    ONCE.copy()
}

/// The disk as it is when the power goes while a file has just been written.
fn in_use() -> Given {
    let given = encrypted();
    let mut torn = None;
    use_disk(&given.disk, &given.node, "noatime", |root| {
        fs::write(root.join("late"), noise(100_000)).unwrap();
        shell("sync -- \"$1\"/late; sync", &[root.as_os_str()]);
        torn = Some(given.disk.copy());
    });
    let mut files = given.files;
    files.insert("late".to_owned(), noise(100_000));
    Given { disk: torn.unwrap(), node: given.node, files }
}

/// The same, with `line` run on it; `$1` is the disk and `$2` the partition.
fn after(given: Given, line: &str) -> Given {
    let attached = given.disk.attach();
    shell(line, &[attached.device.as_os_str(), attached.partition(1).as_os_str()]);
    drop(attached);
    given
}

impl Row {
    fn is_encrypted(&self) -> bool {
        !self.disk.starts_with("unencrypted")
    }

    fn check(&self) {
        let given = (self.given)();
        let before = given.disk.fingerprint();
        self.run(&given, "first run");
        let between = given.disk.fingerprint();
        self.run(&given, "second run");
        let after = given.disk.fingerprint();
        if matches!(self.outcome, Kept(_) | Refused(_)) {
            before.assert_same(&between, self.disk);
        } else {
            assert_ne!(before, between, "{}: the first run did nothing", self.disk);
        }
        between.assert_same(&after, self.disk);
    }

    fn run(&self, given: &Given, when: &str) {
        let run = use_disk(&given.disk, &given.node, "ro,noload", |root| {
            for (path, bytes) in &given.files {
                assert!(fs::read(root.join(path)).unwrap() == *bytes, "{}: `{path}` changed", self.disk);
            }
        });
        assert_eq!(run.verdict(), self.outcome.verdict(), "{}, {when}:\n{}", self.disk, run.stderr);
        let is_refused = matches!(self.outcome, Refused(_));
        assert_eq!(
            (run.code, run.link.is_none()),
            (Some(i32::from(is_refused)), is_refused),
            "{}",
            run.stderr
        );
        let says = |what: &str| run.said.iter().any(|line| line.starts_with(what));
        let is_warned = self.outcome.verdict() == READY;
        assert_eq!(says("warning: `/dev/nvme0n1p1` is not encrypted"), is_warned, "{}", run.stderr);
    }
}

#[test]
fn each_disk() {
    const TEST: &str = "encrypted::each_disk";
    if !can_run(TEST, &["cryptsetup", "jq"]) || !runs_here(TEST) {
        return;
    }
    for row in ROWS.iter().filter(|row| row.is_encrypted()) {
        let began = std::time::Instant::now();
        row.check();
        eprintln!("{}: {:.1?}", row.disk, began.elapsed());
    }
}

/// This needs no kernel that encrypts.
#[test]
fn each_disk_that_is_not_encrypted() {
    if !can_run("encrypted::each_disk_that_is_not_encrypted", &["cryptsetup", "jq"]) {
        return;
    }
    for row in ROWS.iter().filter(|row| !row.is_encrypted()) {
        row.check();
    }
}

/// As `interruption::killed_before_any_step`, with the encryption between table and filesystem.
#[test]
fn killed_before_any_step() {
    const TEST: &str = "encrypted::killed_before_any_step";
    if !can_run(TEST, &["cryptsetup", "jq"]) || !runs_here(TEST) {
        return;
    }
    let run_to = |at: usize, disk: &Disk, node: &Node| {
        let killer = Killer::at(at);
        let attached = disk.attach();
        let run = prepare_on(node, &attached.device, Some(killer.path()));
        // A power loss leaves no mapping.
        shell(
            "shopt -s nullglob; for node in /dev/mapper/tmp*; do DM_DISABLE_UDEV=1 cryptsetup close \"$node\"; done",
            &[],
        );
        drop(attached);
        (run, killer.calls())
    };
    let (run, calls) = run_to(usize::MAX, &Disk::blank(ROOMY), &Node::with_key(KEY));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(calls >= 14, "only {calls} steps were seen");
    for at in 1..=calls {
        let (disk, node) = (Disk::blank(ROOMY), Node::with_key(KEY));
        let (run, _) = run_to(at, &disk, &node);
        assert_eq!((run.code, &run.link), (None, &None), "step {at} of {calls}:\n{}", run.stderr);
        let mut shown = Vec::new();
        for _ in 0..2 {
            let run = use_disk(&disk, &node, "ro,noload", |_| {});
            assert_eq!(run.verdict(), ENCRYPTED, "killed before step {at} of {calls}:\n{}", run.stderr);
            shown.push(disk.fingerprint());
        }
        shown[0].assert_same(&shown[1], "the second run");
        eprintln!("killed before step {at} of {calls}");
    }
}
