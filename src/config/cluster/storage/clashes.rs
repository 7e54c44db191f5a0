//! What disks of one node must not have in common, disks that several nodes cannot have, and servers without a disk.

use std::collections::BTreeMap;

use super::binds::{Bind, ETCD};
use super::further::FurtherDisk;
use super::mistake::StorageMistake;
use super::paths::overlap;
use super::source::DiskSource;
use crate::config::cluster::first_use::FirstUse;
use crate::config::cluster::name::Label;
use crate::config::diagnostics::Problems;
use crate::config::source::Span;

/// The data disk of a node.
#[derive(Debug, Clone)]
pub(super) struct DataDisk {
    pub(super) node: Label,
    pub(super) is_server: bool,
    /// `None` if the node has no data disk.
    pub(super) source: Option<DiskSource>,
    /// The place that names it: `device` of `[storage]`, or `storage` of the node.
    pub(super) span: Span,
}

/// All disks of a cluster.
pub(super) struct Disks<'a> {
    pub(super) data: &'a [DataDisk],
    pub(super) mount: &'a str,
    /// The place of the mount point, if it is written.
    pub(super) mount_span: Option<Span>,
    pub(super) binds: &'a [Bind],
    /// The place of the `false` that keeps etcd's directory off the data disk.
    pub(super) without_etcd: Option<Span>,
    pub(super) further: &'a [FurtherDisk],
    pub(super) is_encrypted: bool,
}

/// A disk, as far as its paths are concerned.
struct Mounted<'a> {
    is_data: bool,
    mount: &'a str,
    span: Option<Span>,
    binds: &'a [Bind],
    nodes: Vec<&'a Label>,
}

impl Disks<'_> {
    pub(super) fn note(&self, problems: &mut Problems) {
        self.note_shared(problems);
        self.note_paths(problems);
        self.note_etcd(problems);
        if self.is_encrypted {
            self.note_unencrypted(problems);
        }
    }

    /// Each use of a disk: its source, its place, and the node.
    fn uses(&self) -> impl Iterator<Item = (&DiskSource, Span, &Label)> {
        let data = self.data.iter().filter_map(|disk| Some((disk.source.as_ref()?, disk.span, &disk.node)));
        let further = self
            .further
            .iter()
            .flat_map(|disk| disk.nodes.iter().map(|node| (&disk.source, disk.span, node)));
        data.chain(further)
    }

    fn note_shared(&self, problems: &mut Problems) {
        let mut by_place: BTreeMap<Span, (&DiskSource, Vec<&Label>)> = BTreeMap::new();
        for (source, span, node) in self.uses() {
            by_place.entry(span).or_insert_with(|| (source, Vec::new())).1.push(node);
        }
        let mut anywhere = FirstUse::default();
        let mut on_node = FirstUse::default();
        for (span, (source, nodes)) in by_place {
            let device = source.to_string();
            let mut twice =
                nodes.iter().filter_map(|node| Some((on_node.earlier((source, *node), span)?, *node)));
            if let Some((first, node)) = twice.next() {
                let mistake = StorageMistake::TwiceOnNode { device, node: node.clone() };
                problems.collision(span, mistake, first, "first used here");
            } else if source.is_unique() && nodes.len() > 1 {
                problems.error(span, StorageMistake::OneDisk { device, nodes: nodes.len() });
            } else if let Some(first) = anywhere.earlier(source, span).filter(|_| source.is_unique()) {
                problems.collision(span, StorageMistake::TwoNodes { device }, first, "first used here");
            }
        }
    }

    fn mounted(&self) -> Vec<Mounted<'_>> {
        let have_data = self.data.iter().filter(|disk| disk.source.is_some()).map(|disk| &disk.node);
        let data = Mounted {
            is_data: true,
            mount: self.mount,
            span: self.mount_span,
            binds: self.binds,
            nodes: have_data.collect(),
        };
        let further = self.further.iter().map(|disk| Mounted {
            is_data: false,
            mount: &disk.mount,
            span: Some(disk.mount_span),
            binds: &disk.binds,
            nodes: disk.nodes.iter().collect(),
        });
        [data].into_iter().chain(further).collect()
    }

    fn note_paths(&self, problems: &mut Problems) {
        let disks = self.mounted();
        for (position, later) in disks.iter().enumerate() {
            for earlier in &disks[..position] {
                if later.nodes.iter().any(|node| earlier.nodes.contains(node)) {
                    note_pair(earlier, later, problems);
                }
            }
        }
    }

    fn note_etcd(&self, problems: &mut Problems) {
        let is_etcd = |bind: &Bind| bind.path == ETCD;
        let keeps_etcd = |disk: &&DataDisk| {
            let mut further = self.further.iter().filter(|further| further.nodes.contains(&disk.node));
            disk.source.is_some() && self.binds.iter().any(is_etcd)
                || further.any(|further| further.binds.iter().any(is_etcd))
        };
        let (on_disk, without_disk): (Vec<_>, Vec<_>) = self
            .data
            .iter()
            .filter(|disk| disk.is_server && !keeps_etcd(disk))
            .partition(|disk| disk.source.is_some());
        if let Some(span) = self.without_etcd.filter(|_| !on_disk.is_empty()) {
            problems.warning(span, StorageMistake::EtcdOnEmmc);
        }
        let mut by_place: BTreeMap<Span, Vec<String>> = BTreeMap::new();
        for disk in without_disk {
            by_place.entry(disk.span).or_default().push(format!("`{}`", disk.node));
        }
        for (span, servers) in by_place {
            problems.warning(span, StorageMistake::EtcdWithoutDisk { servers: servers.join(", ") });
        }
    }

    fn note_unencrypted(&self, problems: &mut Problems) {
        let used: BTreeMap<Span, _> = self.uses().map(|(source, span, _)| (span, source)).collect();
        for (span, source) in used.into_iter().filter(|(_, source)| !source.is_prepared()) {
            problems.warning(span, StorageMistake::NotEncrypted { device: source.to_string() });
        }
    }
}

/// Notes paths of which one would hide the other. A further disk may take a directory from the data disk.
fn note_pair(earlier: &Mounted<'_>, later: &Mounted<'_>, problems: &mut Problems) {
    let mut note = |path: &str, span: Option<Span>, other: &str, first: Option<Span>| {
        let mistake = if path == other {
            StorageMistake::PathTwice { path: path.to_owned() }
        } else {
            StorageMistake::Nested { path: path.to_owned(), other: other.to_owned() }
        };
        match (span.or(first), first) {
            (Some(span), Some(first)) if span != first => {
                problems.collision(span, mistake, first, "the other path");
            }
            (Some(span), _) => problems.error(span, mistake),
            (None, _) => {}
        }
    };
    if overlap(later.mount, earlier.mount) {
        note(later.mount, later.span, earlier.mount, earlier.span);
    }
    for bind in later.binds {
        if overlap(&bind.path, earlier.mount) {
            note(&bind.path, bind.written, earlier.mount, earlier.span);
        }
        for other in earlier.binds.iter().filter(|other| overlap(&bind.path, &other.path)) {
            if !earlier.is_data || bind.path != other.path {
                note(&bind.path, bind.written, &other.path, other.written);
            }
        }
    }
    for other in earlier.binds.iter().filter(|other| overlap(later.mount, &other.path)) {
        note(later.mount, later.span, &other.path, other.written);
    }
}
