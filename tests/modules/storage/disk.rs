//! A disk: a sparse file, attached as a loop device as often as a machine would be switched on.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use tempfile::TempDir;

use crate::fingerprint::Fingerprint;
use crate::tool::{output, shell};

pub const MIB: u64 = 1024 * 1024;
/// Over the 1 GiB that the repart definition asks for.
pub const ROOMY: u64 = 1200 * MIB;

#[derive(Debug)]
pub struct Disk {
    directory: TempDir,
    pub sector: u32,
    pub read_only: bool,
}

impl Disk {
    pub fn blank(size: u64) -> Self {
        let disk = Self { directory: TempDir::new().unwrap(), sector: 512, read_only: false };
        File::create_new(disk.image()).unwrap().set_len(size).unwrap();
        disk
    }

    pub fn image(&self) -> PathBuf {
        self.directory.path().join("disk.img")
    }

    pub fn size(&self) -> u64 {
        self.image().metadata().unwrap().len()
    }

    /// As if the disk's contents had been copied to a disk of another size.
    pub fn resize(&self, size: u64) {
        OpenOptions::new().write(true).open(self.image()).unwrap().set_len(size).unwrap();
    }

    pub fn write(&self, offset: u64, bytes: &[u8]) {
        let mut file = OpenOptions::new().write(true).open(self.image()).unwrap();
        file.seek(SeekFrom::Start(offset)).unwrap();
        file.write_all(bytes).unwrap();
    }

    /// A disk with the same bytes.
    pub fn copy(&self) -> Self {
        let copy = Self::blank(self.size());
        shell("cp --sparse=always -- \"$1\" \"$2\"", &[self.image().as_os_str(), copy.image().as_os_str()]);
        copy
    }

    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.image())
    }

    /// Plugs the disk in. The kernel's own reader of partition tables may not be built in, so util-linux does its part.
    pub fn attach(&self) -> Attached {
        let sector = self.sector.to_string();
        let image = self.image();
        let mut arguments = vec!["--find", "--show", "--partscan", "--sector-size", &sector];
        if self.read_only {
            arguments.push("--read-only");
        }
        arguments.push(image.to_str().unwrap());
        let attached = Attached { device: output("losetup", arguments).trim().into(), mounts: Vec::new() };
        shell("partx --update -- \"$1\" 2>/dev/null || true", &[attached.device.as_os_str()]);
        attached
    }
}

/// Unplugged, with everything on it unmounted, when dropped.
#[derive(Debug)]
pub struct Attached {
    pub device: PathBuf,
    /// Each mounted node, and where it is mounted.
    mounts: Vec<(PathBuf, TempDir)>,
}

impl Attached {
    pub fn partition(&self, number: u32) -> PathBuf {
        format!("{}p{number}", self.device.display()).into()
    }

    /// Mounts a node of this disk and returns where.
    pub fn mount(&mut self, node: &Path, options: &str) -> PathBuf {
        let point = TempDir::new().unwrap();
        let path = point.path().to_owned();
        shell("mount -o \"$1\" -- \"$2\" \"$3\"", &[options.as_ref(), node.as_os_str(), path.as_os_str()]);
        self.mounts.push((node.to_owned(), point));
        path
    }

    pub fn unmount(&mut self) {
        for (node, point) in self.mounts.drain(..) {
            let _ = std::process::Command::new("umount").arg(point.path()).status();
            wait_until_unused(&node);
        }
    }
}

/// Waits until no mount namespace has `node` mounted.
///
/// A process that makes a mount namespace copies every mount, also those of tests that run at the same time. The
/// filesystem is unmounted with its last copy, and writes its superblock only then.
fn wait_until_unused(node: &Path) {
    let deadline = Instant::now() + Duration::from_mins(1);
    // open(2): without O_CREAT, O_EXCL on a block device fails with EBUSY while the device is mounted.
    let is_in_use = || {
        let opened = rustix::fs::open(node, OFlags::RDONLY | OFlags::EXCL, Mode::empty());
        opened.is_err_and(|error| error == rustix::io::Errno::BUSY)
    };
    while is_in_use() {
        if Instant::now() > deadline {
            eprintln!("`{}` is still mounted in another mount namespace", node.display());
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.unmount();
        // Without the first, the device stays until its partitions are gone; without flushing, the file lags behind.
        shell(
            "for node in \"$1\" \"$1\"p*; do [ ! -b \"$node\" ] || sync -- \"$node\"; done; partx --delete -- \"$1\" 2>/dev/null || true; losetup --detach \"$1\"",
            &[self.device.as_os_str()],
        );
    }
}

#[test]
fn an_unmounted_disk_changes_no_more_although_a_mount_namespace_had_a_copy() {
    let test = "an_unmounted_disk_changes_no_more_although_a_mount_namespace_had_a_copy";
    if !crate::tool::can_run(test, &["unshare"]) {
        return;
    }
    let disk = Disk::blank(64 * MIB);
    let mut attached = disk.attach();
    shell("mkfs.ext4 -q \"$1\"", &[attached.device.as_os_str()]);
    let root = attached.mount(&attached.device.clone(), "noatime");
    // It prints a line once it exists. Its shell is in the mount, or removing the mount point would unmount the copy.
    let mut namespace = std::process::Command::new("unshare")
        .args(["--mount", "--propagation=private", "bash", "-c", "cd \"$1\"; echo; sleep 1", "bash"])
        .arg(&root)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let copied = namespace.stdout.take().unwrap().read(&mut [0]).unwrap();
    assert_eq!(copied, 1, "nothing can be mounted here");
    std::fs::write(root.join("file"), "content").unwrap();
    drop(attached);
    let before = disk.fingerprint();
    namespace.wait().unwrap();
    before.assert_same(&disk.fingerprint(), "after the end of the namespace");
}
