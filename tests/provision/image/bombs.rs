//! Hostile images: whatever they claim, `rk1 inspect` stays below its memory limit and ends.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::inspect::inspect_measured;
use crate::program::{lacks, run};

/// The memory limit in KiB.
const LIMIT: u64 = 64 * 1024;
const MIB: usize = 1 << 20;
const SECTOR: usize = 512;

/// Inspects an image and compares the faults that are reported.
#[track_caller]
fn assert_faults(image: &Path, expected: &[&str]) {
    let (code, stderr, peak) = inspect_measured(image);
    let faults: Vec<_> = stderr.lines().filter_map(|line| line.strip_prefix("error: ")).collect();
    assert_eq!(faults, expected, "{stderr}");
    assert_eq!(code, Some(1));
    assert!((1..LIMIT).contains(&peak), "{peak} KiB");
}

/// Compresses an image that is written piece by piece.
fn compressed(folder: &TempDir, write: impl FnOnce(&mut dyn Write)) -> PathBuf {
    let path = folder.path().join("bomb.img.xz");
    let file = fs::File::create(&path).unwrap();
    let mut xz = Command::new("xz").arg("-0").stdin(Stdio::piped()).stdout(file).spawn().unwrap();
    write(xz.stdin.as_mut().unwrap());
    drop(xz.stdin.take());
    assert!(xz.wait().unwrap().success());
    path
}

/// Makes the head of an image with a loader and a GPT of these partitions: first and last sector.
fn gpt(partitions: &[(usize, usize)]) -> Vec<u8> {
    let mut head = vec![0; 128 * SECTOR];
    head[446 + 4] = 0xee;
    head[510..512].copy_from_slice(&[0x55, 0xaa]);
    head[512..520].copy_from_slice(b"EFI PART");
    head[512 + 72] = 2;
    head[512 + 80] = 128;
    head[512 + 84] = 128;
    for (index, (first, last)) in partitions.iter().enumerate() {
        let entry = &mut head[1024 + 128 * index..][..128];
        entry[0] = 7;
        entry[32..40].copy_from_slice(&(*first as u64).to_le_bytes());
        entry[40..48].copy_from_slice(&(*last as u64).to_le_bytes());
    }
    head[64 * SECTOR..][..4].copy_from_slice(b"RKNS");
    head
}

/// The boot sector of a FAT, and bytes that are not zero.
fn fat(size: usize) -> Vec<u8> {
    let mut fat = vec![b'A'; size];
    fat[54..57].copy_from_slice(b"FAT");
    fat[510..512].copy_from_slice(&[0x55, 0xaa]);
    fat
}

#[test]
fn partitions_that_share_their_bytes_are_not_kept() {
    if lacks("partitions_that_share_their_bytes_are_not_kept", &["xz"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let first = 20 * MIB / SECTOR;
    let image = compressed(&folder, |output| {
        let head = gpt(&[(first, first + 32 * MIB / SECTOR - 1); 128]);
        output.write_all(&head).unwrap();
        output.write_all(&vec![0; 20 * MIB - head.len()]).unwrap();
        output.write_all(&fat(32 * MIB)).unwrap();
    });
    let overlaps = (1..128)
        .map(|number| format!("invalid partition table: partitions {number} and {} overlap", number + 1));
    let overlaps: Vec<_> = overlaps.collect();
    let expected: Vec<_> = overlaps.iter().map(String::as_str).collect();
    assert_faults(&image, &expected);
}

#[test]
fn many_partitions_share_one_memory_budget() {
    if lacks("many_partitions_share_one_memory_budget", &["xz"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let size = 16 * MIB;
    let partitions: Vec<_> = (0..16)
        .map(|index| (16 * MIB + index * size) / SECTOR)
        .map(|first| (first, first + size / SECTOR - 1))
        .collect();
    let image = compressed(&folder, |output| {
        let head = gpt(&partitions);
        output.write_all(&head).unwrap();
        output.write_all(&vec![0; 16 * MIB - head.len()]).unwrap();
        let fat = fat(size);
        for _ in &partitions {
            output.write_all(&fat).unwrap();
        }
    });
    assert_faults(&image, &["no partition has the file extlinux/extlinux.conf, which U-Boot boots from"]);
}

/// An image whose only partition is this filesystem, and which the change has been made to.
fn with_filesystem(folder: &TempDir, tree: &Path, change: impl FnOnce(&Path)) -> PathBuf {
    let (filesystem, image) = (folder.path().join("ext4"), folder.path().join("bomb.img"));
    let size = 16 * MIB;
    fs::File::create(&filesystem).unwrap().set_len(size as u64).unwrap();
    run("mkfs.ext4", &["-q", "-b", "1024", "-d", tree.to_str().unwrap(), filesystem.to_str().unwrap()]);
    change(&filesystem);
    let first = 16 * MIB / SECTOR;
    let mut bytes = gpt(&[(first, first + size / SECTOR - 1)]);
    bytes.resize(16 * MIB, 0);
    bytes.extend(fs::read(&filesystem).unwrap());
    fs::write(&image, bytes).unwrap();
    image
}

#[test]
fn sizes_that_a_filesystem_claims_are_not_believed() {
    if lacks("sizes_that_a_filesystem_claims_are_not_believed", &["mkfs.ext4", "debugfs"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    fs::create_dir(&tree).unwrap();
    // A target of more than 59 bytes is stored in a block.
    std::os::unix::fs::symlink("x".repeat(100), tree.join("boot")).unwrap();
    let no_configuration = ["no partition has the file extlinux/extlinux.conf, which U-Boot boots from"];
    let debug = |filesystem: &Path, command: &str| {
        run("debugfs", &["-w", "-R", command, filesystem.to_str().unwrap()]);
    };

    let link = with_filesystem(&folder, &tree, |filesystem| {
        debug(filesystem, "set_inode_field /boot size 8589934592");
    });
    assert_faults(&link, &no_configuration);

    let groups = with_filesystem(&folder, &tree, |filesystem| {
        debug(filesystem, "set_super_value blocks_per_group 1");
    });
    let damaged =
        "the ext4 filesystem of partition 1 cannot be read: the filesystem has too many block groups";
    assert_faults(&groups, &[damaged]);

    let blocks = with_filesystem(&folder, &tree, |filesystem| {
        debug(filesystem, "set_super_value blocks_count 4294967295");
    });
    let damaged =
        "the ext4 filesystem of partition 1 cannot be read: the filesystem is larger than its partition";
    assert_faults(&blocks, &[damaged]);

    let journal = with_filesystem(&folder, &tree, |filesystem| {
        debug(filesystem, "feature needs_recovery");
    });
    let damaged = "the ext4 filesystem of partition 1 cannot be read: its journal has not been replayed: it was not \
                   unmounted";
    assert_faults(&journal, &[damaged]);
}
