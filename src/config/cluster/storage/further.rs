//! `[[storage.disk]]`: further disks, each with its own mount point and directories.

use super::binds::{self, Bind};
use super::mistake::StorageMistake;
use super::paths::parse_mount;
use super::source::{self, DiskSource};
use crate::config::cluster::first_use::FirstUse;
use crate::config::cluster::name::Label;
use crate::config::cluster::node::{NoSuchNode, Node};
use crate::config::diagnostics::Problems;
use crate::config::source::Span;
use crate::config::written;

/// A disk beside the data disk, on some nodes.
#[derive(Debug, Clone)]
pub struct FurtherDisk {
    pub name: Label,
    pub source: DiskSource,
    pub mount: String,
    pub binds: Vec<Bind>,
    /// The nodes that have the disk, at least one.
    pub nodes: Vec<Label>,
    /// The place of its `device`.
    pub(super) span: Span,
    /// The place of its mount point, or of its name.
    pub(super) mount_span: Span,
}

/// A partition is named `rk1-disk-NAME`, in at most 36 characters (UEFI 2.10, 5.3.3).
const NAME_LIMIT: usize = 24;

/// The further disks of the nodes that have disks, if all of them could be resolved.
pub(super) fn resolve(
    disks: &[written::FurtherDisk],
    nodes: Option<&[Node]>,
    problems: &mut Problems,
) -> Option<Vec<FurtherDisk>> {
    let mut names = FirstUse::default();
    let resolved: Vec<_> = disks.iter().map(|disk| resolve_disk(disk, nodes, &mut names, problems)).collect();
    resolved.into_iter().collect()
}

fn resolve_disk(
    disk: &written::FurtherDisk,
    nodes: Option<&[Node]>,
    names: &mut FirstUse<Label>,
    problems: &mut Problems,
) -> Option<FurtherDisk> {
    let name = disk.name.as_ref().and_then(|text| {
        let name = problems.take(text.span, Label::parse(&text.value))?;
        if name.as_str().len() > NAME_LIMIT {
            problems.error(text.span, StorageMistake::LongName { name, limit: NAME_LIMIT });
            return None;
        }
        if let Some(first) = names.earlier(name.clone(), text.span) {
            let mistake = StorageMistake::DuplicateName { name: name.clone() };
            problems.collision(text.span, mistake, first, "first used here");
        }
        Some((name, text.span))
    });
    let device = disk.device.as_ref().and_then(|text| {
        let source = problems.take(text.span, source::parse(&text.value))?;
        Some((problems.take(text.span, source.ok_or(StorageMistake::NoFurtherDisk))?, text.span))
    });
    let mount = match (&disk.mount, &name) {
        (Some(text), _) => problems.take(text.span, parse_mount(&text.value)).map(|mount| (mount, text.span)),
        (None, Some((name, span))) => Some((format!("/mnt/{name}"), *span)),
        (None, None) => None,
    };
    let at = mount.as_ref().map_or("", |(mount, _)| mount.as_str());
    let entries = disk.binds.as_ref().map(|binds| binds.0.as_slice()).unwrap_or_default();
    let binds = binds::of_further_disk(entries, at, problems);
    let nodes = resolve_nodes(disk, nodes?, problems);
    let ((name, _), (source, span), (mount, mount_span)) = (name?, device?, mount?);
    Some(FurtherDisk { name, source, mount, binds: binds?, nodes: nodes?, span, mount_span })
}

fn resolve_nodes(disk: &written::FurtherDisk, nodes: &[Node], problems: &mut Problems) -> Option<Vec<Label>> {
    let Some(listed) = &disk.nodes else {
        let hosts = nodes.iter().filter(|node| node.is_host());
        return Some(hosts.map(|node| node.name.clone()).collect());
    };
    if listed.value.is_empty() {
        problems.error(listed.span, StorageMistake::NoNode);
        return None;
    }
    let mut found = Vec::new();
    let mut are_known = true;
    for text in &listed.value {
        match nodes.iter().find(|node| node.name.as_str() == text.value) {
            Some(node) if !node.is_host() => {
                are_known = false;
                let mistake = StorageMistake::NotAHost { node: node.name.clone(), kind: node.module.word };
                problems.error(text.span, mistake);
            }
            Some(node) if !found.contains(&node.name) => found.push(node.name.clone()),
            Some(_) => {}
            None => {
                are_known = false;
                let hint = NoSuchNode::new(&text.value, nodes).hint();
                problems.error(text.span, StorageMistake::UnknownNode { node: text.value.clone(), hint });
            }
        }
    }
    are_known.then_some(found)
}
