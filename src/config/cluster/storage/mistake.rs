//! What can be wrong with data disks.

use thiserror::Error;

use super::system_paths::BIND_ROOTS;
use crate::config::cluster::name::Label;
use crate::config::diagnostics::Mistake;

#[derive(Debug, Error)]
pub(super) enum StorageMistake {
    #[error("`{device}` is not below /dev")]
    NotADevice { device: String },
    #[error("`{device}` is the controller of an NVMe disk, not the disk")]
    Controller { device: String },
    #[error("`{device}` names a filesystem, not a disk")]
    Filesystem { device: String, uuid: Option<String> },
    #[error("`{uuid}` is not the UUID of an ext4 or XFS filesystem")]
    NotAUuid { uuid: String },
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
    #[error("two disks of a node have `{path}`")]
    PathTwice { path: String },
    #[error("`{path}` overlaps `{default}`, which is kept on the disk by default")]
    NestedInDefault { path: String, default: &'static str },
    #[error("`{path}` is not kept on the disk by default")]
    NotADefault { path: String },
    #[error("without `/var/lib/rancher` on the disk, etcd writes to the eMMC")]
    EtcdOnEmmc,
    #[error("without a data disk, etcd of {servers} writes to the eMMC")]
    EtcdWithoutDisk { servers: String },
    #[error("`{device}` names one disk, but {nodes} nodes have it")]
    OneDisk { device: String, nodes: usize },
    #[error("`{device}` is the disk of two nodes")]
    TwoNodes { device: String },
    #[error("`{node}` has the disk `{device}` twice")]
    TwiceOnNode { device: String, node: Label },
    #[error("a further disk is a disk")]
    NoFurtherDisk,
    #[error("two disks have the name `{name}`")]
    DuplicateName { name: Label },
    #[error("the name `{name}` is longer than {limit} characters")]
    LongName { name: Label, limit: usize },
    #[error("no node has this disk")]
    NoNode,
    #[error("the cluster has no node `{node}`")]
    UnknownNode { node: String, hint: String },
    #[error("`{node}` is a machine of the kind `{kind}`, whose disks rk1 does not prepare")]
    NotAHost { node: Label, kind: &'static str },
    #[error("the filesystem `{device}` is not encrypted")]
    NotEncrypted { device: String },
    #[error("directory `{directory}` is used twice")]
    SharedDirectory { directory: String },
}

impl Mistake for StorageMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::NotADevice { .. } => {
                "write the device of the disk, such as `/dev/nvme0n1`; `none` if there is no disk; or `UUID=…` to use a \
                 filesystem as it is"
                    .to_owned()
            }
            Self::SystemDisk { .. } => {
                "write the device of the NVMe disk, such as `/dev/nvme0n1`, or `none` if there is no other disk"
                    .to_owned()
            }
            Self::Controller { device } => format!("write `{device}n1`, its first namespace"),
            Self::Filesystem { uuid: Some(uuid), .. } => format!(
                "write `UUID={uuid}` to use the filesystem as it is, or the device of the whole disk, such as \
                 `/dev/nvme0n1`, which the node formats itself"
            ),
            Self::Filesystem { uuid: None, .. } => {
                "write the device of the whole disk, such as `/dev/nvme0n1`: the node formats it itself"
                    .to_owned()
            }
            Self::NotAUuid { .. } => {
                "write the UUID that `lsblk --fs` prints for the filesystem, such as \
                 `UUID=3f2b8c1e-6d54-4a0f-9b7c-1e2d3c4b5a69`"
                    .to_owned()
            }
            Self::Partition { disk, .. } => format!(
                "write `{disk}`: the node creates the partition itself. To use a filesystem as it is, write its UUID as \
                 `UUID=…`"
            ),
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
            Self::PathTwice { .. } => "write another path: one mount would hide the other".to_owned(),
            Self::NestedInDefault { default, .. } => {
                format!("remove it, or write `\"{default}\" = false` beside it")
            }
            Self::NotADefault { .. } => "remove the line".to_owned(),
            Self::EtcdOnEmmc => {
                "keep it on the disk: eMMC is too slow for etcd and wears out from its writes".to_owned()
            }
            Self::EtcdWithoutDisk { .. } => {
                "give each server a disk, or let nodes with disks be the servers: eMMC is too slow for etcd and wears out \
                 from its writes"
                    .to_owned()
            }
            Self::OneDisk { .. } => {
                "write a device that every node has, such as `/dev/nvme0n1`, and `storage = \"/dev/…\"` in the `[[node]]` \
                 that has another one"
                    .to_owned()
            }
            Self::TwoNodes { .. } => {
                "write each node's own disk: `ls -l /dev/disk/by-id` lists those of a node".to_owned()
            }
            Self::TwiceOnNode { .. } => "write another device, or remove one of them".to_owned(),
            Self::NoFurtherDisk => "remove the table, or list in `nodes` the nodes that have the disk".to_owned(),
            Self::DuplicateName { .. } => "give each disk its own name".to_owned(),
            Self::LongName { .. } => "write a shorter name: it becomes that of a partition".to_owned(),
            Self::NoNode => "write the names of the nodes that have it, or remove the table".to_owned(),
            Self::UnknownNode { hint, .. } => hint.clone(),
            Self::NotAHost { .. } => "remove it from the list, and mount the disk by the machine's own means".to_owned(),
            Self::NotEncrypted { .. } => {
                "write the device of a blank disk to have an encrypted one: `encryption` does not apply to a filesystem \
                 that is used as it is"
                    .to_owned()
            }
            Self::SharedDirectory { .. } => "give each path its own directory".to_owned(),
        };
        Some(instead)
    }
}
