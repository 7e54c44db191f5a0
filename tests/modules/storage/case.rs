//! A row of the table: a disk, what becomes of it, and the proof, twice.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::disk::{Attached, Disk, MIB};
use crate::script::{Run, prepare};
use crate::tool::{can_run, shell};

/// Where our partition begins, and its superblock with it.
const OUR_SUPERBLOCK: u64 = MIB;

#[derive(Debug)]
pub struct Row {
    /// The first column of the table.
    pub disk: &'static str,
    pub outcome: Outcome,
    /// Programs needed to make the disk.
    pub tools: &'static [&'static str],
    pub given: fn() -> Given,
}

#[derive(Debug)]
pub enum Outcome {
    /// Blank before; afterwards it has our partition, and a second run changes no byte.
    Made(&'static str),
    /// Mounted as it is: neither run changes a byte.
    Kept(&'static str),
    /// The first run changes something, never our files; the second run changes no byte.
    Repaired(&'static str),
    /// Neither run changes a byte, and there is nothing to mount.
    Refused(&'static str),
    /// There is nothing to mount, and nothing outside our partition changed: e2fsck notes in its superblock what it saw.
    Halted(&'static str),
}

/// A disk, and how it is plugged in and named.
pub struct Given {
    pub disk: Option<Disk>,
    /// What rk1.storage.device says, given the disk's device.
    pub device: Box<dyn Fn(&Path) -> PathBuf>,
    /// What else is done once it is plugged in.
    pub plugged: fn(&mut Attached),
    /// The files that must be on our filesystem afterwards.
    pub files: BTreeMap<String, Vec<u8>>,
    /// A disk that is plugged in too, and must not be touched.
    pub bystander: Option<Disk>,
}

impl From<Disk> for Given {
    fn from(disk: Disk) -> Self {
        Self {
            disk: Some(disk),
            device: Box::new(Path::to_owned),
            plugged: |_| {},
            files: BTreeMap::new(),
            bystander: None,
        }
    }
}

impl Given {
    pub fn no_disk(device: &str) -> Self {
        let device = PathBuf::from(device);
        Self { disk: None, device: Box::new(move |_| device.clone()), ..Disk::blank(512).into() }
    }
}

impl Outcome {
    pub fn verdict(&self) -> String {
        match self {
            Self::Made(verdict) | Self::Kept(verdict) | Self::Repaired(verdict) => (*verdict).to_owned(),
            Self::Refused(verdict) | Self::Halted(verdict) => format!("error: {verdict}"),
        }
    }
}

impl Row {
    pub fn check(&self) {
        if !can_run(self.disk, self.tools) {
            return;
        }
        let given = (self.given)();
        let before = given.disk.as_ref().map(Disk::fingerprint);
        let bystander = given.bystander.as_ref().map(Disk::fingerprint);

        self.run(&given, "first run");
        let between = given.disk.as_ref().map(Disk::fingerprint);
        self.run(&given, "second run");
        let after = given.disk.as_ref().map(Disk::fingerprint);

        if let (Some(before), Some(between), Some(after)) = (before, between, after) {
            match self.outcome {
                Outcome::Kept(_) | Outcome::Refused(_) => {
                    before.assert_same(&between, "first run");
                    between.assert_same(&after, "second run");
                }
                Outcome::Made(_) | Outcome::Repaired(_) => {
                    assert_ne!(before, between, "the first run did nothing");
                    between.assert_same(&after, "second run");
                }
                Outcome::Halted(_) => before.assert_same_but_for(&after, &[OUR_SUPERBLOCK], "both runs"),
            }
        }
        if let (Some(before), Some(disk)) = (bystander, &given.bystander) {
            before.assert_same(&disk.fingerprint(), "the other disk");
        }
    }

    fn run(&self, given: &Given, when: &str) {
        let _bystander = given.bystander.as_ref().map(Disk::attach);
        let mut attached = given.disk.as_ref().map(Disk::attach);
        if let Some(attached) = &mut attached {
            (given.plugged)(attached);
        }
        let disk = attached.as_ref().map_or(Path::new("/nowhere"), |attached| &attached.device);
        let run = prepare(&(given.device)(disk), None);
        assert_eq!(run.verdict(), self.outcome.verdict(), "{when}:\n{}", run.stderr);
        if matches!(self.outcome, Outcome::Refused(_) | Outcome::Halted(_)) {
            assert_eq!((run.code, &run.link), (Some(1), &None), "{when}:\n{}", run.stderr);
        } else {
            let expected = attached.as_ref().unwrap().partition(1);
            assert_eq!((run.code, &run.link), (Some(0), &Some(expected)), "{when}:\n{}", run.stderr);
            assert_can_be_mounted(&run, attached.as_mut().unwrap(), &given.files);
        }
    }
}

/// Mounts what the run linked to, without changing it, and compares the files on it.
pub fn assert_can_be_mounted(run: &Run, attached: &mut Attached, files: &BTreeMap<String, Vec<u8>>) {
    let node = run.link.as_ref().unwrap();
    if is_mounted(node) {
        return;
    }
    shell("e2fsck -n -f -- \"$1\"", &[node.as_os_str()]);
    let root = attached.mount(node, "ro,noload");
    for (path, bytes) in files {
        assert!(fs::read(root.join(path)).unwrap() == *bytes, "`{path}` changed");
    }
    attached.unmount();
}

fn is_mounted(node: &Path) -> bool {
    fs::read_to_string("/proc/mounts").unwrap().lines().any(|line| line.split(' ').next() == node.to_str())
}
