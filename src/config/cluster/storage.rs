//! `[storage]`: the data disk of each node, further disks, their mount points, and the system directories on them.

mod binds;
mod clashes;
mod further;
mod mistake;
mod paths;
mod source;
mod system_paths;

use self::clashes::{DataDisk, Disks};
use super::name::Label;
use super::node::Node;
use super::secrets::{SecretLookup, SecretName};
use crate::config::diagnostics::{Problems, Unresolved};
use crate::config::source::Span;
use crate::config::written::{self, Role};

pub use binds::Bind;
pub use further::FurtherDisk;
pub use source::DiskSource;

#[derive(Debug, Clone)]
pub struct Storage {
    /// The data disk of a node that does not name its own. `None` if such a node has no data disk.
    pub source: Option<DiskSource>,
    /// The secret of each node with the key of its disks, in the order of the nodes. `None` if disks are not encrypted.
    pub disk_keys: Option<Vec<(Label, SecretName)>>,
    pub mount: String,
    /// The system directories on the data disk, sorted by path.
    pub binds: Vec<Bind>,
    pub further: Vec<FurtherDisk>,
    /// The data disk of each node.
    data_disks: Vec<DataDisk>,
}

/// A disk of a node.
#[derive(Debug, Clone)]
pub struct Disk<'a> {
    /// `None` for the data disk.
    pub name: Option<&'a Label>,
    pub source: &'a DiskSource,
    pub mount: &'a str,
    pub binds: Vec<&'a Bind>,
}

impl Disk<'_> {
    /// Returns the systemd unit that prepares or checks the disk (`modules/storage.nix`).
    #[must_use]
    pub fn unit(&self) -> String {
        match self.name {
            Some(name) => format!("rk1-disk-{name}"),
            None => "rk1-storage".to_owned(),
        }
    }
}

const MOUNT: &str = "/mnt/data";

impl Storage {
    /// Returns the secret with the key of a node's disks.
    #[must_use]
    pub fn disk_key(&self, node: &Label) -> Option<&SecretName> {
        let keys = self.disk_keys.as_ref()?;
        keys.iter().find(|(name, _)| name == node).map(|(_, key)| key)
    }

    /// Returns the data disk of a node, if it has one.
    #[must_use]
    pub fn data_disk(&self, node: &Label) -> Option<&DiskSource> {
        self.data_disks.iter().find(|disk| disk.node == *node)?.source.as_ref()
    }

    /// Returns the further disks of a node.
    pub fn further_disks<'a>(&'a self, node: &'a Label) -> impl Iterator<Item = &'a FurtherDisk> {
        self.further.iter().filter(move |disk| disk.nodes.contains(node))
    }

    /// Returns all disks of a node, the data disk first. A directory that a further disk keeps is not on the data disk.
    #[must_use]
    pub fn disks<'a>(&'a self, node: &'a Label) -> Vec<Disk<'a>> {
        let taken: Vec<_> =
            self.further_disks(node).flat_map(|disk| &disk.binds).map(|bind| &bind.path).collect();
        let data = self.data_disk(node).map(|source| Disk {
            name: None,
            source,
            mount: &self.mount,
            binds: self.binds.iter().filter(|bind| !taken.contains(&&bind.path)).collect(),
        });
        let further = self.further_disks(node).map(|disk| Disk {
            name: Some(&disk.name),
            source: &disk.source,
            mount: &disk.mount,
            binds: disk.binds.iter().collect(),
        });
        data.into_iter().chain(further).collect()
    }
}

/// `written_nodes` are those of the file. `nodes` are `None` if one of them could not be resolved.
pub(super) fn resolve(
    written: &written::Storage,
    written_nodes: &[written::Node],
    nodes: Option<&[Node]>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Storage> {
    let default = written
        .device
        .as_ref()
        .and_then(|text| Some((problems.take(text.span, source::parse(&text.value))?, text.span)));
    let own = own_disks(written_nodes, problems);
    let mount = match &written.mount {
        Some(text) => problems.take(text.span, paths::parse_mount(&text.value)),
        None => Some(MOUNT.to_owned()),
    };
    let entries = written.binds.as_ref().map(|binds| binds.0.as_slice()).unwrap_or_default();
    let at = written.mount.as_ref().map_or(MOUNT, |text| &text.value);
    let binds = binds::of_data_disk(entries, at, problems);
    let disks = written.disks.as_deref().unwrap_or_default();
    let further = further::resolve(disks, nodes, problems);

    let (source, span) = default?;
    let (own, mount, binds, further) = (own?, mount?, binds?, further?);
    let data_disks = data_disks(nodes?, own, source.as_ref(), span);
    let is_encrypted = written.encryption.as_ref().is_some_and(|encryption| encryption.value);
    let without_etcd = entries.iter().find_map(|(path, bind)| match bind {
        written::Bind::Off(off) if path.value == binds::ETCD => Some(off.span),
        _ => None,
    });
    let all = Disks {
        data: &data_disks,
        mount: &mount,
        mount_span: written.mount.as_ref().map(|text| text.span),
        binds: &binds,
        without_etcd,
        further: &further,
        is_encrypted,
    };
    all.note(problems);
    let mut storage = Storage { source, disk_keys: None, mount, binds, further, data_disks };
    if is_encrypted {
        storage.disk_keys = Some(resolve_keys(&storage, nodes?, secrets, problems).ok()?);
    }
    Some(storage)
}

/// The data disk that a node names itself, with its place. The inner `None` stands for no disk.
type OwnDisk = Option<(Option<DiskSource>, Span)>;

/// Returns the own data disk of each node, or `None` if a problem has been noted.
fn own_disks(nodes: &[written::Node], problems: &mut Problems) -> Option<Vec<OwnDisk>> {
    let own = nodes.iter().map(|node| match &node.storage {
        Some(text) => Some(Some((problems.take(text.span, source::parse(&text.value))?, text.span))),
        None => Some(None),
    });
    own.collect::<Vec<Option<OwnDisk>>>().into_iter().collect()
}

fn data_disks(nodes: &[Node], own: Vec<OwnDisk>, default: Option<&DiskSource>, span: Span) -> Vec<DataDisk> {
    let disk = |(node, own): (&Node, OwnDisk)| {
        let (source, span) = own.unwrap_or_else(|| (default.cloned(), span));
        DataDisk { node: node.name.clone(), is_server: node.role == Role::Server, source, span }
    };
    nodes.iter().zip(own).filter(|(node, _)| node.is_host()).map(disk).collect()
}

/// Finds the secret of each node with the key of its disks. A filesystem that is used as it is needs no key.
fn resolve_keys(
    storage: &Storage,
    nodes: &[Node],
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Result<Vec<(Label, SecretName)>, Unresolved> {
    let mut keys = Vec::new();
    for node in nodes {
        if storage.disks(&node.name).iter().any(|disk| disk.source.is_prepared()) {
            let key = secrets.find_or_default(None, &format!("{}-disk", node.name), problems);
            keys.push(key.map(|key| (node.name.clone(), key)));
        }
    }
    keys.into_iter().collect::<Option<_>>().ok_or(Unresolved)
}
