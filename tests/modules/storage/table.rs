//! The rows. Each is a test, and a line of the table in `docs/storage.md`.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::case::Outcome::{Halted, Kept, Made, Refused, Repaired};
use crate::case::{Given, Row};
use crate::contents::{
    foreign_gpt, handed_over, made_by, misplace_first_partition, mount_first_partition, noise, our_type,
    ours, ours_after, ours_beside_another, ours_holding_raid_superblock, ours_in_use, ours_on, ours_with,
    plain, raid_member, zfs_member,
};
use crate::disk::{Disk, MIB, ROOMY};
use crate::interruption::table_only;

macro_rules! rows {
    ($($name:ident: $disk:literal, $outcome:expr, $tools:expr, $given:expr;)+) => {
        pub const ROWS: &[Row] = &[$(Row { disk: $disk, outcome: $outcome, tools: &$tools, given: $given }),+];

        $(#[test]
        fn $name() {
            Row { disk: $disk, outcome: $outcome, tools: &$tools, given: $given }.check();
        })+
    };
}

const READY: &str = "ready: `/dev/nvme0n1p1`, an ext4 filesystem without errors";
const FOREIGN_TABLE: &str =
    "`/dev/nvme0n1` has a partition table that rk1 did not create; nothing was written to `/dev/nvme0n1`";
const UNREADABLE: &str = "`/dev/nvme0n1` has a GPT that is empty, damaged or made for a disk of another size; nothing was written to `/dev/nvme0n1`";
const UNKNOWN: &str = "`/dev/nvme0n1` holds data of an unknown kind; nothing was written to `/dev/nvme0n1`";

/// The verdict on a disk whose signatures are `$types`.
macro_rules! in_use_by {
    ($types:literal) => {
        Refused(concat!(
            "`/dev/nvme0n1` is in use by something else: ",
            $types,
            "; nothing was written to `/dev/nvme0n1`"
        ))
    };
}

rows! {
    blank: "blank", Made(READY), [], || Disk::blank(ROOMY).into();
    blank_4k: "blank, with sectors of 4096 bytes", Made(READY), [], || {
        let mut disk = Disk::blank(ROOMY);
        disk.sector = 4096;
        disk.into()
    };
    blank_link: "blank, named by a link", Made(READY), [], || named_by_link(Disk::blank(ROOMY).into());
    blank_small: "blank, smaller than 1 GiB",
        Refused("`/dev/nvme0n1` has no room for rk1's partition of at least 1G; nothing was written to it"),
        [], || Disk::blank(64 * MIB).into();
    ours_unfinished: "ours, its preparation interrupted before the filesystem was made", Made(READY), [],
        || table_only().into();
    handed: "foreign, then erased as the refusal advises", Made(READY), [], handed_over;

    ours_again: "ours from last time", Kept(READY), [], ours;
    ours_4k: "ours, with sectors of 4096 bytes", Kept(READY), [], || {
        let mut disk = Disk::blank(ROOMY);
        disk.sector = 4096;
        ours_with(disk)
    };
    ours_mounted: "ours, mounted already",
        Kept("ready: `/dev/nvme0n1p1`, already mounted, left unchanged"), [],
        || Given { plugged: mount_first_partition, ..ours() };
    ours_stale: "ours, the kernel's copy of its table out of date", Kept(READY), ["addpart"],
        || Given { plugged: misplace_first_partition, ..ours() };
    ours_torn: "ours, power lost while in use", Repaired(READY), [], ours_in_use;
    ours_small_errors: "ours, errors that e2fsck repairs by itself", Repaired(READY), ["debugfs"],
        || ours_after("debugfs -w -R 'ssv free_blocks_count 7' \"$2\" 2>/dev/null; debugfs -w -R 'ssv state 2' \"$2\" 2>/dev/null");
    ours_errors: "ours, errors that need a decision",
        Halted("`/dev/nvme0n1p1` has errors that need a decision; it is not mounted"), ["debugfs"],
        || ours_after("debugfs -w -R 'clri <2>' \"$2\" 2>/dev/null; debugfs -w -R 'ssv state 2' \"$2\" 2>/dev/null");
    ours_larger: "ours, copied to a larger disk", Repaired(READY), [], || ours_on(ROOMY + 900 * MIB);
    ours_smaller: "ours, copied to a smaller disk",
        Refused(UNREADABLE), [], || ours_on(ROOMY - 100 * MIB);
    ours_beside: "ours, beside a partition of somebody else, with free space", Kept(READY), [], ours_beside_another;
    ours_first_table: "ours, the table's first copy destroyed, its second intact", Kept(READY), [],
        || ours_after("dd if=/dev/zero of=\"$1\" bs=512 seek=1 count=33 conv=notrunc status=none");
    ours_without: "ours, the filesystem's superblock destroyed",
        Refused("`/dev/nvme0n1p1` was created by rk1 and has lost its filesystem; nothing was written to it"), [],
        || ours_after("dd if=/dev/zero of=\"$2\" bs=4096 count=1 conv=notrunc status=none");
    ours_reformatted: "ours, formatted by somebody as something else",
        Refused("`/dev/nvme0n1p1` holds xfs; rk1 expects ext4; nothing was written to `/dev/nvme0n1`"), ["mkfs.xfs"],
        || ours_after("mkfs.xfs -q -f \"$2\"");
    ours_and_image: "ours, with a signature in front of its partition",
        Refused("`/dev/nvme0n1` holds a signature outside rk1's partition: iso9660; nothing was written to `/dev/nvme0n1`"), [], || {
            let given = ours();
            given.disk.as_ref().unwrap().write(32 * 1024, b"\x01CD001\x01");
            given
        };
    ours_with_image: "ours, holding a file that looks like a RAID member", Kept(READY), [], ours_holding_raid_superblock;
    ours_twice: "two partitions of rk1's type and name",
        Refused("`/dev/nvme0n1` has 2 partitions of rk1's type; one is expected; nothing was written to `/dev/nvme0n1`"), [], || {
            let (kind, size) = (our_type(), ROOMY / MIB / 2);
            let partition = |n| format!("--new={n}:0:+{}M --typecode={n}:{kind} --change-name={n}:rk1-storage", size - 10);
            made_by(ROOMY, &format!("sgdisk {} {} \"$1\" >/dev/null", partition(1), partition(2))).into()
        };
    ours_renamed: "a partition of rk1's type, with another name", Refused(FOREIGN_TABLE), [],
        || ours_after("sgdisk --change-name=1:mine \"$1\" >/dev/null");
    ours_other: "ours; another disk of rk1 is plugged in too", Kept(READY), [],
        || Given { bystander: ours().disk, ..ours() };

    gpt_free: "a foreign GPT, with free space", Refused(FOREIGN_TABLE), [], || foreign_gpt("--new=1:0:+20M").into();
    gpt_full: "a foreign GPT, without free space", Refused(FOREIGN_TABLE), [], || foreign_gpt("--largest-new=1").into();
    gpt_mounted: "a foreign GPT, a partition of it mounted", Refused(FOREIGN_TABLE), [],
        || Given { plugged: mount_first_partition, ..foreign_gpt("--new=1:0:+20M").into() };
    gpt_empty: "a foreign GPT without partitions", Refused(UNREADABLE), [], || plain("sgdisk --clear \"$1\" >/dev/null");
    gpt_second: "a GPT of which only the second copy is left", Refused(UNREADABLE), [], || {
        let disk = foreign_gpt("--new=1:0:+20M");
        disk.write(0, &vec![0; 34 * 512]);
        disk.into()
    };
    mbr: "an MBR", in_use_by!("dos"), ["sfdisk"], || plain("echo 'size=20M, type=83' | sfdisk --quiet \"$1\"");
    ext4: "ext4 on the whole disk", in_use_by!("ext4"), [], || plain("mkfs.ext4 -q \"$1\"");
    xfs: "xfs on the whole disk", in_use_by!("xfs"), ["mkfs.xfs"], || plain("mkfs.xfs -q \"$1\"");
    btrfs: "btrfs on the whole disk", in_use_by!("btrfs"), ["mkfs.btrfs"], || plain("mkfs.btrfs -q \"$1\"");
    vfat: "vfat on the whole disk", in_use_by!("vfat"), ["mkfs.vfat"], || plain("mkfs.vfat -I \"$1\" >/dev/null");
    swap: "swap on the whole disk", in_use_by!("swap"), ["mkswap"], || plain("mkswap \"$1\" >/dev/null");
    luks: "LUKS on the whole disk", in_use_by!("crypto_LUKS"), ["cryptsetup"],
        || plain("echo secret | cryptsetup luksFormat --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \"$1\" -");
    lvm: "an LVM physical volume", in_use_by!("LVM2_member"), ["pvcreate"],
        || plain("pvcreate --quiet --devices \"$1\" \"$1\" >/dev/null 2>&1");
    raid: "a RAID member", in_use_by!("linux_raid_member"), [], || raid_member().into();
    zfs: "a ZFS member", in_use_by!("zfs_member"), [], || zfs_member().into();
    bcache: "a bcache device", in_use_by!("bcache"), ["make-bcache"], || plain("make-bcache --bdev \"$1\" >/dev/null");
    data_start: "data without a signature at its start", Refused(UNKNOWN), [], || with_noise(3 * MIB);
    data_end: "data without a signature at its end", Refused(UNKNOWN), [], || with_noise(ROOMY - 3 * MIB);
    data_middle: "data without a signature, its start and end blank", Refused(UNKNOWN), [], || {
        let disk = Disk::blank(ROOMY);
        disk.write(300 * MIB, &noise(40_000_000));
        disk.into()
    };
    wiped: "ext4 on the whole disk, erased with `wipefs` alone", Refused(UNKNOWN), [],
        || plain("mkfs.ext4 -q \"$1\"; wipefs --quiet --all \"$1\"");

    missing: "missing", Refused("`/dev/nvme0n1` did not appear in time; k3s starts when it appears"), [],
        || Given::no_disk("/dev/rk1-there-is-no-such-disk");
    late: "appears after a second", Made(READY), [], || {
        let directory = TempDir::new().unwrap();
        Given {
            device: Box::new(move |disk| {
                let (disk, link) = (disk.to_owned(), directory.path().join("late"));
                let _ = std::fs::remove_file(&link);
                let later = link.clone();
                std::thread::spawn(move || {
                    std::thread::sleep(std::time::Duration::from_secs(1));
                    symlink(disk, later).unwrap();
                });
                link
            }),
            ..Disk::blank(ROOMY).into()
        }
    };
    dangling: "a link to nothing", Refused("`/dev/nvme0n1` did not appear in time; k3s starts when it appears"), [],
        || named_by_link(Given::no_disk("/dev/rk1-there-is-no-such-disk"));
    file: "a file", Refused("`/dev/nvme0n1` is not a block device"), [], || {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("file");
        File::create_new(&path).unwrap().set_len(ROOMY).unwrap();
        Given { device: Box::new(move |_| { let _alive = &directory; path.clone() }), ..Given::no_disk("") }
    };
    character: "a character device", Refused("`/dev/nvme0n1` is not a block device"), [], || Given::no_disk("/dev/zero");
    partition: "a partition, not a disk", Refused("`/dev/nvme0n1` is a partition"), [],
        || Given { device: Box::new(|disk| PathBuf::from(format!("{}p1", disk.display()))), ..foreign_gpt("--new=1:0:+20M").into() };
    no_medium: "a reader without a medium", Refused("`/dev/nvme0n1` has no medium in it"), [],
        || Disk::blank(0).into();
    read_only: "read-only", Refused("`/dev/nvme0n1` is read-only"), [], || {
        let mut disk = Disk::blank(ROOMY);
        disk.read_only = true;
        disk.into()
    };
}

fn with_noise(offset: u64) -> Given {
    let disk = Disk::blank(ROOMY);
    disk.write(offset, &noise(5000));
    disk.into()
}

/// The same, configured through a link, as those of /dev/disk/by-id.
fn named_by_link(given: Given) -> Given {
    let directory = TempDir::new().unwrap();
    let Given { device, .. } = given;
    let named = move |disk: &Path| {
        let link = directory.path().join("link");
        let _ = std::fs::remove_file(&link);
        symlink(device(disk), &link).unwrap();
        link
    };
    Given { device: Box::new(named), ..given }
}
