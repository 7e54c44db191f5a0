//! `[storage]`: the data disk, its mount point, and the system directories on it.

use thiserror::Error;

use super::first_use::FirstUse;
use super::name::Label;
use super::node::Node;
use super::secrets::{SecretLookup, SecretName};
use crate::config::diagnostics::{Mistake, Problems, Unresolved};
use crate::config::modules::{BootDisk, MODULES};
use crate::config::source::Span;
use crate::config::written::{self, Text};

#[derive(Debug, Clone)]
pub struct Storage {
    /// The device of the whole disk, below /dev.
    pub device: String,
    /// The secret of each node with the key of its disk, in the order of the nodes. `None` if disks are not encrypted.
    pub disk_keys: Option<Vec<(Label, SecretName)>>,
    pub mount: String,
    /// The system directories on the disk, sorted by path.
    pub binds: Vec<Bind>,
}

/// A system directory that is kept on the data disk.
#[derive(Debug, Clone)]
pub struct Bind {
    pub path: String,
    /// The directory on the disk, below the mount point.
    pub directory: String,
}

/// The directory in which k3s keeps the data of etcd.
const ETCD: &str = "/var/lib/rancher";
const MOUNT: &str = "/mnt/data";
const BINDS: [(&str, &str); 3] =
    [("/run/k3s", "k3s"), ("/var/lib/kubelet", "k3s-kubelet"), ("/var/lib/rancher", "k3s-rancher")];

/// System directories, below which the disk cannot be mounted. modules/storage/system-paths.nix has the same lists.
const SYSTEM_TREES: [&str; 16] = [
    "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/nix", "/proc", "/root", "/run", "/sbin",
    "/sys", "/tmp", "/usr", "/var",
];
/// Directories below which the disk can be mounted, but not on themselves.
const PARENTS: [&str; 3] = ["/mnt", "/opt", "/srv"];
/// Directories below which a path can be kept on the disk.
const BIND_ROOTS: [&str; 5] = ["/opt", "/run", "/srv", "/var/lib", "/var/log"];
/// Paths below [`BIND_ROOTS`] that the system needs before the disk is mounted, or without it.
const SYSTEM_STATE: [&str; 6] =
    ["/run/rk1", "/run/systemd", "/run/udev", "/var/lib/nixos", "/var/lib/rk1", "/var/lib/systemd"];

#[derive(Debug, Error)]
enum StorageMistake {
    #[error("`{device}` is not below /dev")]
    NotADevice { device: String },
    #[error("`{device}` is the controller of an NVMe disk, not the disk")]
    Controller { device: String },
    #[error("`{device}` names a filesystem, not a disk")]
    Filesystem { device: String },
    #[error("`{device}` is a partition, not a whole disk")]
    Partition { device: String, disk: String },
    #[error("`{device}` is the {disk} of the module, which holds the system")]
    SystemDisk { device: String, disk: &'static str },
    #[error("`{path}` is not a normalized absolute path")]
    NotAPath { path: String },
    #[error("`{path}` is a system directory")]
    SystemPath { path: String },
    #[error("`{path}` cannot be kept on the disk")]
    Unbindable { path: String },
    #[error("`{directory}` is not the name of a directory")]
    NotADirectory { directory: String },
    #[error("`{path}` and `{other}` overlap")]
    Nested { path: String, other: String },
    #[error("`{path}` overlaps `{default}`, which is kept on the disk by default")]
    NestedInDefault { path: String, default: &'static str },
    #[error("`{path}` is not kept on the disk by default")]
    NotADefault { path: String },
    #[error("without `/var/lib/rancher` on the disk, etcd writes to the eMMC")]
    EtcdOnEmmc,
    #[error("`{device}` names one disk, but the cluster has {nodes} nodes")]
    OneDisk { device: String, nodes: usize },
    #[error("directory `{directory}` is used twice")]
    SharedDirectory { directory: String },
}

impl Mistake for StorageMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::NotADevice { .. } | Self::SystemDisk { .. } => {
                "write the device of the NVMe disk, such as `/dev/nvme0n1`".to_owned()
            }
            Self::Controller { device } => format!("write `{device}n1`, its first namespace"),
            Self::Filesystem { .. } => {
                "write the device of the whole disk, such as `/dev/nvme0n1`: the node formats it itself"
                    .to_owned()
            }
            Self::Partition { disk, .. } => {
                format!("write `{disk}`: the node creates the partition itself")
            }
            Self::NotAPath { .. } => {
                "write a path that starts with `/`, without `.`, `..`, `//` or a slash at the end".to_owned()
            }
            Self::SystemPath { .. } => "write a separate directory, such as `/mnt/data`".to_owned(),
            Self::Unbindable { .. } => format!(
                "write a directory below {} that the system does not need to boot",
                BIND_ROOTS.map(|root| format!("`{root}`")).join(", ")
            ),
            Self::NotADirectory { .. } => {
                "write a plain name such as `k3s-rancher`, without a slash".to_owned()
            }
            Self::Nested { .. } => "write separate paths: one mount would hide the other".to_owned(),
            Self::NestedInDefault { default, .. } => {
                format!("remove it, or write `\"{default}\" = false` beside it")
            }
            Self::NotADefault { .. } => "remove the line".to_owned(),
            Self::EtcdOnEmmc => {
                "keep it on the disk: eMMC is too slow for etcd and wears out from its writes".to_owned()
            }
            Self::OneDisk { .. } => "write a device that every node has, such as `/dev/nvme0n1`".to_owned(),
            Self::SharedDirectory { .. } => "give each path its own directory".to_owned(),
        };
        Some(instead)
    }
}

impl Storage {
    /// Returns the secret with the key of a node's disk.
    #[must_use]
    pub fn disk_key(&self, node: &Label) -> Option<&SecretName> {
        let keys = self.disk_keys.as_ref()?;
        keys.iter().find(|(name, _)| name == node).map(|(_, key)| key)
    }
}

/// Finds the secret of each node with the key of its disk, if disks are encrypted. `Unresolved` means that a problem has been noted.
fn resolve_keys(
    written: &written::Storage,
    nodes: &[Node],
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Result<Option<Vec<(Label, SecretName)>>, Unresolved> {
    if !written.encryption.as_ref().is_some_and(|encryption| encryption.value) {
        return Ok(None);
    }
    let mut keys = Vec::new();
    for node in nodes {
        let key = secrets.find_or_default(None, &format!("{}-disk", node.name), problems);
        keys.push(key.map(|key| (node.name.clone(), key)));
    }
    keys.into_iter().collect::<Option<_>>().map(Some).ok_or(Unresolved)
}

pub(super) fn resolve(
    written: &written::Storage,
    nodes: Option<&[Node]>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Storage> {
    let device = written.device.as_ref().and_then(|text| problems.take(text.span, parse_device(&text.value)));
    let mount = match &written.mount {
        Some(text) => problems.take(text.span, parse_mount(&text.value)),
        None => Some(MOUNT.to_owned()),
    };
    let entries = written.binds.as_ref().map(|binds| binds.0.as_slice()).unwrap_or_default();
    let at = written.mount.as_ref().map_or(MOUNT, |text| &text.value);
    let binds = resolve_binds(entries, at, problems);
    let disk_keys = nodes.and_then(|nodes| resolve_keys(written, nodes, secrets, problems).ok());
    Some(Storage { device: device?, disk_keys: disk_keys?, mount: mount?, binds: binds? })
}

/// Notes a device name that identifies a single disk, if the cluster has several nodes.
pub(super) fn note_device(written: &written::Storage, nodes: usize, problems: &mut Problems) {
    if let Some(text) = written.device.as_ref()
        && nodes > 1
        && text.value.starts_with("/dev/disk/by-id/")
    {
        problems.error(text.span, StorageMistake::OneDisk { device: text.value.clone(), nodes });
    }
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
        return Err(StorageMistake::Filesystem { device });
    }
    if name.strip_prefix("nvme").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(StorageMistake::Controller { device });
    }
    if let Some(disk) = disk_of_partition(name) {
        return Err(StorageMistake::Partition { disk: format!("/dev/{disk}"), device });
    }
    Ok(device)
}

/// The disks that modules boot from. All nodes have the same data disk, so that it is the boot disk of none of them.
fn boot_disks() -> impl Iterator<Item = &'static BootDisk> {
    MODULES.iter().filter_map(|module| Some(&module.hardware?.boot_disk))
}

/// Returns the disk of a partition: `nvme0n1` for `nvme0n1p2`, `sda` for `sda2`. Returns `None` for a whole disk.
fn disk_of_partition(name: &str) -> Option<&str> {
    if name.starts_with("disk/by-part") {
        return Some("nvme0n1");
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

fn parse_mount(path: &str) -> Result<String, StorageMistake> {
    let path = path.to_owned();
    if path == "/" {
        Err(StorageMistake::SystemPath { path })
    } else if !is_plain_path(&path) {
        Err(StorageMistake::NotAPath { path })
    } else if PARENTS.contains(&path.as_str()) || SYSTEM_TREES.iter().any(|tree| is_at(&path, tree)) {
        Err(StorageMistake::SystemPath { path })
    } else {
        Ok(path)
    }
}

fn parse_bind(path: &str) -> Result<String, StorageMistake> {
    let path = path.to_owned();
    let is_below_root = BIND_ROOTS.iter().any(|root| is_below(&path, root));
    let is_state = SYSTEM_STATE.iter().any(|state| is_at(&path, state) || is_below(state, &path));
    if !is_plain_path(&path) {
        Err(StorageMistake::NotAPath { path })
    } else if !is_below_root || is_state {
        Err(StorageMistake::Unbindable { path })
    } else {
        Ok(path)
    }
}

/// Returns whether it is an absolute path that needs no quoting in the name of a unit or in fstab.
fn is_plain_path(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_plain_name))
}

fn is_plain_name(name: &str) -> bool {
    is_device_name(name) && !name.contains(['+', ':', '@'])
}

/// Returns whether it is a name below /dev, as in `/dev/disk/by-id/nvme-eui.0025385b71b0c2a1`.
fn is_device_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+:@".contains(&byte);
    !name.is_empty() && !name.starts_with('.') && name.bytes().all(is_allowed)
}

fn is_at(path: &str, tree: &str) -> bool {
    path == tree || is_below(path, tree)
}

fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

/// Returns the binds that are written, and the defaults that are not overridden.
fn resolve_binds(
    entries: &[(Text, written::Bind)],
    mount: &str,
    problems: &mut Problems,
) -> Option<Vec<Bind>> {
    let mut directories = FirstUse::default();
    let mut paths: Vec<&Text> = Vec::new();
    let mut resolved = Vec::new();
    for (path, bind) in entries {
        let directory = match bind {
            written::Bind::Directory(directory) => directory,
            written::Bind::Off(off) => {
                note_removal(path, off.span, problems);
                continue;
            }
        };
        let parsed = problems.take(path.span, parse_bind(&path.value));
        if parsed.is_some() {
            note_nesting(path, mount, &paths, problems);
            paths.push(path);
        }
        if !is_plain_name(&directory.value) {
            let mistake = StorageMistake::NotADirectory { directory: directory.value.clone() };
            problems.error(directory.span, mistake);
        } else if let Some(first) = directories.earlier(directory.value.as_str(), directory.span) {
            note_shared(directory, first, problems);
        }
        resolved.push(parsed.map(|path| Bind { path, directory: directory.value.clone() }));
    }
    let is_written = |path: &str| entries.iter().any(|(written, _)| written.value == path);
    for (path, directory) in BINDS.into_iter().filter(|(path, _)| !is_written(path)) {
        let nested =
            paths.iter().find(|written| is_below(&written.value, path) || is_below(path, &written.value));
        if let Some(written) = nested {
            let mistake = StorageMistake::NestedInDefault { path: written.value.clone(), default: path };
            problems.error(written.span, mistake);
        }
        resolved.push(Some(Bind { path: path.to_owned(), directory: directory.to_owned() }));
    }
    let mut binds: Vec<Bind> = resolved.into_iter().collect::<Option<_>>()?;
    binds.sort_by(|one, other| one.path.cmp(&other.path));
    Some(binds)
}

fn note_removal(path: &Text, span: Span, problems: &mut Problems) {
    if path.value == ETCD {
        problems.warning(span, StorageMistake::EtcdOnEmmc);
    } else if !BINDS.iter().any(|(default, _)| *default == path.value) {
        problems.error(path.span, StorageMistake::NotADefault { path: path.value.clone() });
    }
}

fn note_shared(directory: &Text, first: Span, problems: &mut Problems) {
    let mistake = StorageMistake::SharedDirectory { directory: directory.value.clone() };
    problems.collision(directory.span, mistake, first, "first used here");
}

/// Notes a path that overlaps the mount point or an earlier path.
fn note_nesting(path: &Text, mount: &str, earlier: &[&Text], problems: &mut Problems) {
    let nested = |one: &str, other: &str| one == other || is_below(one, other) || is_below(other, one);
    let mistake = |other: &str| StorageMistake::Nested { path: path.value.clone(), other: other.to_owned() };
    if nested(&path.value, mount) {
        problems.error(path.span, mistake(mount));
    }
    for other in earlier.iter().filter(|other| nested(&path.value, &other.value)) {
        problems.collision(path.span, mistake(&other.value), other.span, "the other path");
    }
}
