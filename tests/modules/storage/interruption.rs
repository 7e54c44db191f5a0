//! A run that ends at any step, with any part of its writes missing, is completed by the next one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use crate::case::assert_can_be_mounted;
use crate::contents::{noise, our_type};
use crate::disk::{Disk, MIB, ROOMY};
use crate::script::{Node, Run, prepare, prepare_on};
use crate::tool::can_run;

/// The programs that the script runs and that write something, and some between them.
const STEPS: &[&str] = &[
    "dd",
    "systemd-repart",
    "partx",
    "cryptsetup",
    "mkfs.ext4",
    "sync",
    "dumpe2fs",
    "e2fsck",
    "mkdir",
    "mv",
    "ln",
];
const KILL: i32 = 9;

/// Stand-ins for `STEPS` that count their calls and kill the script's process group at one of them.
pub struct Killer(TempDir);

impl Killer {
    /// Kills the script at the call number `at`, counted from 1.
    pub fn at(at: usize) -> Self {
        let directory = TempDir::new().unwrap();
        let calls = directory.path().join("calls");
        fs::write(&calls, "").unwrap();
        let path = std::env::var("PATH").unwrap();
        for step in STEPS {
            let stand_in = directory.path().join(step);
            let script = format!(
                "#!/bin/bash\nPATH='{path}'\nprintf x >>'{calls}'\n(($(wc -c <'{calls}') == {at})) && kill -9 0\nexec {step} \"$@\"\n",
                calls = calls.display()
            );
            fs::write(&stand_in, script).unwrap();
            fs::set_permissions(&stand_in, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self(directory)
    }

    /// The directory of the stand-ins.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, disk: &Disk) -> Run {
        prepare(&disk.attach().device, Some(self.path()))
    }

    pub fn calls(&self) -> usize {
        usize::try_from(self.path().join("calls").metadata().unwrap().len()).unwrap()
    }
}

/// Two more runs: the first makes the disk ready, the second changes nothing.
fn assert_recovers(disk: &Disk, after: &str) {
    let ready = || {
        let mut attached = disk.attach();
        let run = prepare(&attached.device, None);
        assert_eq!(
            (run.code, &run.link),
            (Some(0), &Some(attached.partition(1))),
            "{after}:\n{}",
            run.stderr
        );
        assert_can_be_mounted(&run, &mut attached, &[].into());
        run
    };
    ready();
    let first = disk.fingerprint();
    let second = ready();
    first.assert_same(&disk.fingerprint(), after);
    assert!(second.verdict().starts_with("ready: "), "{after}:\n{}", second.stderr);
    assert!(
        !second.stderr.contains("mkfs") && !second.stderr.contains("making"),
        "{after}:\n{}",
        second.stderr
    );
    assert!(both_tables_are_whole(disk), "{after}: a copy of the partition table is missing");
}

fn both_tables_are_whole(disk: &Disk) -> bool {
    let attached = disk.attach();
    let found = crate::tool::output(
        "wipefs",
        ["--noheadings", "--output", "OFFSET", &attached.device.to_string_lossy()],
    );
    let expected = [512, disk.size() - 512, 510].map(|at| format!("0x{at:x}"));
    expected.iter().all(|at| found.split_whitespace().any(|offset| offset == at))
}

#[test]
fn killed_before_any_step() {
    if !can_run("killed_before_any_step", &[]) {
        return;
    }
    let whole = Killer::at(usize::MAX);
    let run = whole.run(&Disk::blank(ROOMY));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let calls = whole.calls();
    assert!(calls >= 10, "only {calls} steps were seen");

    for at in 1..=calls {
        let disk = Disk::blank(ROOMY);
        let run = Killer::at(at).run(&disk);
        assert_eq!((run.signal, &run.link), (Some(KILL), &None), "step {at} of {calls}:\n{}", run.stderr);
        assert_recovers(&disk, &format!("killed before step {at} of {calls}"));
    }
}

/// A blank disk that a run left just before it made the filesystem.
pub fn table_only() -> Disk {
    table_only_on(&Node::new(false))
}

pub fn table_only_on(node: &Node) -> Disk {
    let tools = Killer::at(usize::MAX);
    let mkfs = tools.0.path().join("mkfs.ext4");
    fs::write(&mkfs, "#!/bin/bash\nkill -9 0\n").unwrap();
    let disk = Disk::blank(ROOMY);
    let run = prepare_on(node, &disk.attach().device, Some(tools.path()));
    assert_eq!(run.signal, Some(KILL), "{}", run.stderr);
    disk
}

/// The parts in which a GPT reaches the disk, in bytes from its start; the order is the disk's own.
fn table_parts(size: u64) -> [(u64, usize); 5] {
    [(0, 512), (512, 512), (1024, 32 * 512), (size - 33 * 512, 32 * 512), (size - 512, 512)]
}

#[test]
fn any_part_of_the_table_was_not_written() {
    if !can_run("any_part_of_the_table_was_not_written", &[]) {
        return;
    }
    let whole = table_only();
    for missing in 0_u32..1 << 5 {
        let disk = whole.copy();
        let parts = table_parts(disk.size());
        for (part, (offset, length)) in parts.into_iter().enumerate() {
            if missing >> part & 1 == 1 {
                disk.write(offset, &vec![0; length]);
            }
        }
        assert_recovers(&disk, &format!("parts {missing:05b} of the table not written"));
    }
}

#[test]
fn the_filesystem_was_partly_written() {
    if !can_run("the_filesystem_was_partly_written", &[]) {
        return;
    }
    // mke2fs writes the superblock last; everything else of a filesystem may be there.
    let disk = table_only();
    disk.write(MIB + 4096, &noise(3_000_000));
    disk.write(700 * MIB, &noise(100_000));
    assert_recovers(&disk, "mkfs.ext4 was interrupted");
}

#[test]
fn a_tool_failed() {
    if !can_run("a_tool_failed", &[]) {
        return;
    }
    for step in ["systemd-repart", "dd", "mkfs.ext4", "wipefs"] {
        let tools = Killer::at(usize::MAX);
        let failing = tools.0.path().join(step);
        fs::write(&failing, "#!/bin/bash\n[[ \" $* \" == *' --dry-run=yes '* ]] || exit 5\n").unwrap();
        fs::set_permissions(&failing, fs::Permissions::from_mode(0o755)).unwrap();
        let disk = Disk::blank(ROOMY);
        let run = tools.run(&disk);
        let told = "error: stopped by the failure above; the next run continues from here";
        assert_eq!((run.code, run.verdict(), &run.link), (Some(5), told, &None), "{step}:\n{}", run.stderr);
        assert_recovers(&disk, &format!("{step} failed"));
    }
}

/// A change that somebody made to a disk, with its description.
type Change = (&'static str, fn(&Disk));

/// The note permits nothing else: a foreign disk that still has it is refused.
#[test]
fn the_note_excuses_nothing_else() {
    if !can_run("the_note_excuses_nothing_else", &[]) {
        return;
    }
    let noted = table_only();
    let foreign: [Change; 5] = [
        ("another partition behind ours", |disk| {
            let ours = format!("--new=1:2048:+500M --typecode=1:{} --change-name=1:rk1-storage", our_type());
            on(disk, &format!("sgdisk --delete=1 {ours} --new=2:0:0 \"$1\" >/dev/null"));
        }),
        ("data behind a torn table", |disk| {
            disk.write(0, &[0; 512]);
            disk.write(500 * MIB, &noise(20_000_000));
        }),
        ("another table", |disk| on(disk, "sgdisk --clear --new=1:0:0 \"$1\" >/dev/null")),
        ("another partition in place of ours", |disk| {
            on(disk, "sgdisk --delete=1 --new=1:0:+100M --typecode=1:8300 --new=2:0:0 \"$1\" >/dev/null");
            disk.write(2 * MIB, &noise(1000));
        }),
        ("a filesystem on the whole disk", |disk| {
            on(disk, "wipefs -qa \"$1\"; mkfs.ext4 -q -b 4096 -O ^resize_inode \"$1\"");
        }),
    ];
    for (what, make) in foreign {
        let disk = noted.copy();
        make(&disk);
        let before = disk.fingerprint();
        for _ in 0..2 {
            let run = prepare(&disk.attach().device, None);
            assert_eq!((run.code, &run.link), (Some(1), &None), "{what}:\n{}", run.stderr);
        }
        before.assert_same(&disk.fingerprint(), what);
    }
}

fn on(disk: &Disk, line: &str) {
    crate::tool::shell(line, &[Path::as_os_str(&disk.attach().device)]);
}
