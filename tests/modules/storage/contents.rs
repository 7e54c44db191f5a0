//! What a disk may hold when the script meets it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;

use crate::case::Given;
use crate::disk::{Attached, Disk, MIB, ROOMY};
use crate::script::prepare;
use crate::tool::shell;

/// The type of rk1's partition, as the shipped definition says it.
pub fn our_type() -> String {
    let definition = concat!(env!("CARGO_MANIFEST_DIR"), "/modules/storage/repart.d/50-rk1-storage.conf");
    let definition = fs::read_to_string(definition).unwrap();
    definition.lines().find_map(|line| line.strip_prefix("Type=")).unwrap().to_owned()
}

/// A disk on which `line` was run, with the device as `$1`.
pub fn made_by(size: u64, line: &str) -> Disk {
    let disk = Disk::blank(size);
    shell(line, &[disk.attach().device.as_os_str()]);
    disk
}

/// Some bytes that no tool has a name for.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3] | 1
    })
    .take(length)
    .collect()
}

/// A disk that an earlier run prepared, and that has files on it.
pub fn ours() -> Given {
    ours_with(Disk::blank(ROOMY))
}

pub fn ours_with(disk: Disk) -> Given {
    let files = BTreeMap::from([
        ("k3s-rancher/state.db".to_owned(), noise(3_000_000)),
        ("k3s-kubelet/pods/a/volume".to_owned(), noise(70_000)),
        ("note".to_owned(), b"kept".to_vec()),
    ]);
    let mut attached = disk.attach();
    let run = prepare(&attached.device, None);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let root = attached.mount(&run.link.unwrap(), "noatime");
    for (path, bytes) in &files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    drop(attached);
    Given { files, ..disk.into() }
}

/// Ours, with `line` run on it; `$1` is the disk and `$2` our partition.
pub fn ours_after(line: &str) -> Given {
    let given = ours();
    let attached = given.disk.as_ref().unwrap().attach();
    shell(line, &[attached.device.as_os_str(), attached.partition(1).as_os_str()]);
    drop(attached);
    given
}

/// Ours, as it is when the power goes while files are written.
pub fn ours_in_use() -> Given {
    let given = ours();
    let disk = given.disk.as_ref().unwrap();
    let mut attached = disk.attach();
    let root = attached.mount(&attached.partition(1), "noatime");
    let late = root.join("late");
    fs::write(&late, noise(100_000)).unwrap();
    shell("sync -- \"$1\"", &[late.as_os_str()]);
    shell("sync -- \"$1\"", &[attached.device.as_os_str()]);
    let torn = disk.copy();
    drop(attached);
    let mut files = given.files;
    files.insert("late".to_owned(), noise(100_000));
    Given { files, ..torn.into() }
}

pub fn ours_on(size: u64) -> Given {
    let given = ours();
    given.disk.as_ref().unwrap().resize(size);
    given
}

/// Ours in the first part of the disk, somebody's partition after it and then free space.
pub fn ours_beside_another() -> Given {
    let given = ours();
    let disk = given.disk.as_ref().unwrap();
    disk.resize(ROOMY + 400 * MIB);
    let line = "sgdisk --move-second-header --new=2:0:+100M --typecode=2:8300 \"$1\" >/dev/null";
    shell(line, &[disk.attach().device.as_os_str()]);
    disk.write(ROOMY + 20 * MIB, &noise(5_000_000));
    given
}

/// A GPT of somebody else with files in its first partition, and free space after it or not.
pub fn foreign_gpt(partitions: &str) -> Disk {
    made_by(
        64 * MIB,
        &format!(
            "sgdisk {partitions} \"$1\" >/dev/null; partx --update \"$1\"; mkfs.ext4 -q -L theirs \"$1\"p1"
        ),
    )
}

/// Ours, where a free block of the filesystem has what mdadm (version 0.90, 64 KiB before the end) would leave there.
pub fn ours_holding_raid_superblock() -> Given {
    let given = ours();
    let disk = given.disk.as_ref().unwrap();
    let mut superblock = vec![0; 4096];
    for (word, value) in [(0, 0xa92b_4efc_u32), (1, 0), (2, 90), (5, 7), (13, 7), (14, 7), (15, 7)] {
        superblock[word * 4..][..4].copy_from_slice(&value.to_le_bytes());
    }
    disk.write(disk.size() - 64 * 1024, &superblock);
    let found = crate::tool::output("wipefs", ["--noheadings".as_ref(), disk.image().as_os_str()]);
    assert!(found.contains("linux_raid_member"), "{found}");
    given
}

pub fn mount_first_partition(attached: &mut Attached) {
    attached.mount(&attached.partition(1), "ro,noload");
}

/// As if the table had been written by another machine while this one had it in memory.
pub fn misplace_first_partition(attached: &mut Attached) {
    shell("delpart \"$1\" 1; addpart \"$1\" 1 40960 100000", &[attached.device.as_os_str()]);
}

/// A RAID member as mdadm writes it (version 1.2: 4 KiB from the start): `linux/raid/md_p.h`, `struct mdp_superblock_1`.
pub fn raid_member() -> Disk {
    let disk = Disk::blank(64 * MIB);
    let mut superblock = vec![0; 256];
    superblock[..4].copy_from_slice(&0xa92b_4efc_u32.to_le_bytes());
    superblock[4..8].copy_from_slice(&1_u32.to_le_bytes());
    superblock[16..32].fill(7);
    superblock[144..152].copy_from_slice(&8_u64.to_le_bytes());
    let sum =
        superblock.chunks(4).map(|word| u64::from(u32::from_le_bytes(word.try_into().unwrap()))).sum::<u64>();
    let sum = u32::try_from((sum & 0xffff_ffff) + (sum >> 32)).unwrap();
    superblock[216..220].copy_from_slice(&sum.to_le_bytes());
    disk.write(4096, &superblock);
    disk
}

/// A pool member as ZFS writes it: uberblocks in the second half of each label (`uberblock_impl.h`).
pub fn zfs_member() -> Disk {
    let disk = Disk::blank(64 * MIB);
    for label in [0, 256 * 1024, 64 * MIB - 512 * 1024, 64 * MIB - 256 * 1024] {
        for uberblock in 0..128 {
            disk.write(label + 128 * 1024 + uberblock * 1024, &0x00ba_b10c_u64.to_le_bytes());
        }
    }
    disk
}

pub fn plain(line: &str) -> Given {
    made_by(320 * MIB, line).into()
}

/// A foreign disk on which the operator ran what the refusal advises.
pub fn handed_over() -> Given {
    let disk = made_by(ROOMY, "mkfs.ext4 -q -L theirs \"$1\"");
    let attached = disk.attach();
    let run = prepare(&attached.device, None);
    let commands = run.erasing().unwrap_or_else(|| panic!("no advice:\n{}", run.stderr));
    shell(&commands.replace(crate::script::DISK, "\"$1\""), &[attached.device.as_os_str() as &OsStr]);
    drop(attached);
    disk.into()
}
