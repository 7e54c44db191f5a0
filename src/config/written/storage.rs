//! `[storage]`: the data disk of each node.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::de::DeValue;

use super::leaf::{Named, Switch, Text};
use super::shape::{Decode, Required, TomlValue, spanned, wrong_type};
use super::table::table;
use crate::config::diagnostics::Problems;
use crate::config::source::Spanned;

table! {
    /// The data disk of each node.
    pub struct Storage {
        /// Device of the whole disk. The node creates one partition on it; a disk that holds anything else is refused. `none` if
        /// nodes have no data disk.
        "device" device: Required<Text> = "/dev/nvme0n1",
        /// Whether a blank disk is encrypted, with the secret NODE-disk of each node. An unencrypted disk that is in use stays in
        /// use. [default: false]
        "encryption" encryption: Option<Switch> = true,
        /// Mount point of the disk. [default: /mnt/data]
        "mount" mount: Option<Text> = "/mnt/data",
        /// System directories that are kept on the disk: each path with its directory below the mount point. They are added
        /// to the defaults /run/k3s, /var/lib/kubelet and /var/lib/rancher; `false` removes a default.
        "binds" binds: Option<Named<Bind>> = serde_json::json!({"/var/lib/rancher": "k3s-rancher"}),
        /// Further disks, beside the data disk.
        "disk" disks: Option<Vec<FurtherDisk>>,
    }
}

table! {
    /// A further disk.
    pub struct FurtherDisk {
        /// Name of the disk: a DNS label of at most 24 characters.
        "name" name: Required<Text> = "archive",
        /// Device of the whole disk, as in `[storage]`; or `UUID=` and the UUID of an ext4 or XFS filesystem, which is used as
        /// it is and never formatted.
        "device" device: Required<Text> = "/dev/sda",
        /// Names of the nodes that have the disk. [default: all]
        "nodes" nodes: Option<Spanned<Vec<Text>>> = ["rk1-03"],
        /// Mount point of the disk. [default: /mnt and the name]
        "mount" mount: Option<Text> = "/mnt/archive",
        /// System directories that are kept on this disk instead of the data disk: each path with its directory below the
        /// mount point.
        "binds" binds: Option<Named<Text>> = serde_json::json!({"/var/lib/longhorn": "longhorn"}),
    }
}

/// The value of a path in `[storage.binds]`.
#[derive(Debug, Clone)]
pub enum Bind {
    /// The directory on the disk.
    Directory(Text),
    /// `false`: the path stays on the system's disk.
    Off(Spanned<bool>),
}

impl Decode for Bind {
    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self> {
        match value.get_ref() {
            DeValue::Boolean(false) => Some(Self::Off(spanned(false, value))),
            DeValue::String(_) => Text::decode(path, value, problems).map(Self::Directory),
            _ => {
                let instead =
                    "write the name of a directory, or `false` to keep the path off the disk".to_owned();
                wrong_type(path, value, "a string or `false`", Some(instead), problems)
            }
        }
    }
}

impl JsonSchema for Bind {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Bind".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, { "const": false }] })
    }
}
