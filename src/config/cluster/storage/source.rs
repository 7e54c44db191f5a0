//! What is mounted as a data disk: a whole disk that the node prepares, or a filesystem that exists.

use std::fmt;

use super::mistake::StorageMistake;
use super::paths::is_device_name;
use crate::config::modules::{BootDisk, MODULES};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DiskSource {
    /// A whole disk, below /dev. A blank one is prepared.
    Device(String),
    /// The UUID of a filesystem, which is used as it is and never formatted.
    Filesystem(String),
}

/// The word for a node without a data disk.
const NONE: &str = "none";
/// What comes before a UUID, as in fstab(5).
const UUID: &str = "UUID=";
/// The digits between the hyphens of a UUID.
const UUID_GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

impl DiskSource {
    /// Returns whether only one disk in the world has this name.
    pub(super) fn is_unique(&self) -> bool {
        match self {
            Self::Device(device) => device.starts_with("/dev/disk/by-id/"),
            Self::Filesystem(_) => true,
        }
    }

    /// Returns whether the node prepares the disk, which is then encrypted if disks are.
    #[must_use]
    pub fn is_prepared(&self) -> bool {
        matches!(self, Self::Device(_))
    }
}

/// As in `cluster.toml` and in `rk1.storage.device`.
impl fmt::Display for DiskSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(device) => formatter.write_str(device),
            Self::Filesystem(uuid) => write!(formatter, "{UUID}{uuid}"),
        }
    }
}

/// Parses the value of `device` or `storage`. `Ok(None)` stands for no disk.
pub(super) fn parse(text: &str) -> Result<Option<DiskSource>, StorageMistake> {
    if text == NONE {
        return Ok(None);
    }
    match text.strip_prefix(UUID) {
        Some(uuid) if is_uuid(uuid) => Ok(Some(DiskSource::Filesystem(uuid.to_ascii_lowercase()))),
        Some(uuid) => Err(StorageMistake::NotAUuid { uuid: uuid.to_owned() }),
        None => parse_device(text).map(|device| Some(DiskSource::Device(device))),
    }
}

fn is_uuid(text: &str) -> bool {
    let is_hex = |group: &str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split('-').map(str::len).eq(UUID_GROUPS) && text.split('-').all(is_hex)
}

fn parse_device(device: &str) -> Result<String, StorageMistake> {
    let device = device.to_owned();
    let is_device = |name: &&str| name.split('/').all(is_device_name);
    let Some(name) = device.strip_prefix("/dev/").filter(is_device) else {
        return Err(StorageMistake::NotADevice { device });
    };
    if let Some(disk) = boot_disks().find(|disk| name.starts_with(disk.device_prefix)) {
        return Err(StorageMistake::SystemDisk { device, disk: disk.name });
    }
    if ["disk/by-uuid/", "disk/by-label/"].iter().any(|folder| name.starts_with(folder)) {
        let uuid = name.strip_prefix("disk/by-uuid/").filter(|uuid| is_uuid(uuid)).map(str::to_owned);
        return Err(StorageMistake::Filesystem { device, uuid });
    }
    if name.strip_prefix("nvme").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(StorageMistake::Controller { device });
    }
    if let Some(disk) = disk_of_partition(name) {
        return Err(StorageMistake::Partition { disk: format!("/dev/{disk}"), device });
    }
    Ok(device)
}

/// The disks that modules boot from.
fn boot_disks() -> impl Iterator<Item = &'static BootDisk> {
    MODULES.iter().filter_map(|module| Some(&module.hardware?.boot_disk))
}

/// Returns the disk of a partition: `nvme0n1` for `nvme0n1p2`, `sda` for `sda2`. Returns `None` for a whole disk.
fn disk_of_partition(name: &str) -> Option<&str> {
    if name.starts_with("disk/by-part") {
        return Some("nvme0n1");
    }
    if let Some(id) = name.strip_prefix("disk/by-id/") {
        let (_, number) = id.rsplit_once("-part")?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        return is_number.then(|| &name[..name.len() - "-part".len() - number.len()]);
    }
    let front = name.trim_end_matches(|character: char| character.is_ascii_digit());
    if front.len() == name.len() {
        return None;
    }
    if name.starts_with("nvme") {
        return front.strip_suffix('p').filter(|disk| disk.contains('n'));
    }
    let is_scsi = |prefix: &str| {
        front.strip_prefix(prefix).is_some_and(|letters| {
            !letters.is_empty() && letters.bytes().all(|letter| letter.is_ascii_lowercase())
        })
    };
    ["hd", "sd", "vd"].into_iter().any(is_scsi).then_some(front)
}
