//! `[storage]`: the data disk of each node.

use super::leaf::{Named, Text};
use super::shape::Required;
use super::table::table;

table! {
    /// The data disk of each node.
    pub struct Storage {
        /// The whole disk. It gets one partition; a disk that holds anything else is refused.
        "device" device: Required<Text> = "/dev/nvme0n1",
        /// Where it is mounted. Left out: /mnt/data.
        "mount" mount: Option<Text> = "/mnt/data",
        /// Directories of the system that live on it: the path, and the directory below the mount point.
        /// Left out: /run/k3s, /var/lib/kubelet and /var/lib/rancher.
        "binds" binds: Option<Named<Text>> = serde_json::json!({"/var/lib/rancher": "k3s-rancher"}),
    }
}
