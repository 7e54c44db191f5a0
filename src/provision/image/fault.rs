//! Why an image would not boot on an RK1.

use serde::Serialize;
use thiserror::Error;

use super::boot::{Kernel, Tree};
use super::fat::SeedOwner;
use super::inspect::{Content, Inspection};
use super::layout::LOADER_OFFSET;
use crate::config::cluster::Label;
use crate::config::diagnostics::Mistake;

/// Bytes from the start that U-Boot takes up at least: its second part lies at 8 MiB and has more than one.
const LOADER_END: u64 = 10 * 1024 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Error)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    #[error("the image is empty")]
    Empty,
    #[error("there is no loader for the RK3588 at byte {LOADER_OFFSET}")]
    NoLoader,
    #[error("there is no partition table")]
    NoTable,
    #[error("partition {number} starts at byte {start}, where the loader lies")]
    InLoader { number: u32, start: u64 },
    #[error("the image ends at byte {size}, before the end of partition {number} at byte {end}")]
    CutOff { number: u32, size: u64, end: u64 },
    #[error("the ext4 of partition {number} cannot be read: {why}")]
    Damaged { number: u32, why: String },
    #[error("no partition has an extlinux/extlinux.conf, by which U-Boot boots")]
    NoExtlinux,
    #[error("partition {number} is not marked bootable, and another one is: U-Boot looks only there")]
    NotBootable { number: u32 },
    #[error("`{configuration}` has no entry")]
    NoEntry { configuration: String },
    #[error("the kernel of `{label}`, the default entry, is missing")]
    KernelMissing { label: String },
    #[error("the kernel of `{label}`, the default entry, is not one for arm64")]
    KernelForeign { label: String },
    #[error("the initrd of `{label}`, the default entry, is missing")]
    InitrdMissing { label: String },
    #[error("the device tree of `{label}`, the default entry, is missing")]
    TreeMissing { label: String },
    #[error("the device tree of `{label}`, the default entry, is not that of an RK1")]
    TreeForeign { label: String },
    #[error("the seed is for `{seed}`, the image is of `{host}`: it would refuse its secrets")]
    SeedOfAnother { seed: Label, host: Label },
}

impl Mistake for Fault {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::Empty | Self::CutOff { .. } | Self::Damaged { .. } => "build or copy the image again",
            Self::NoLoader => {
                "take an image that is made for the RK1, such as `nix build .#rk1-01` makes; other boards have \
                 other loaders"
            }
            Self::NoTable => "give the image of a whole disk, not that of a filesystem",
            Self::InLoader { .. } => "start the first partition at 16 MiB, as images/layout.nix does",
            Self::NoExtlinux | Self::NoEntry { .. } => {
                "set `boot.loader.generic-extlinux-compatible.enable = true`, as modules/board.nix does"
            }
            Self::NotBootable { .. } => "mark it: `sfdisk --activate IMAGE NUMBER`",
            Self::KernelMissing { .. } | Self::InitrdMissing { .. } => {
                "build the image again: what its entry names was not copied into it"
            }
            Self::KernelForeign { .. } => {
                "build for aarch64-linux: `nixpkgs.hostPlatform` decides, not the machine that builds"
            }
            Self::TreeMissing { .. } | Self::TreeForeign { .. } => {
                "take a kernel of 6.13 or later, and `rk1.board.deviceTree = \"rockchip/rk3588-turing-rk1.dtb\"`"
            }
            Self::SeedOfAnother { .. } => {
                "take the image without a seed: `rk1 flash` puts the right one into it"
            }
        };
        Some(instead.to_owned())
    }
}

impl Inspection {
    /// Everything for which the image would not boot on an RK1, as far as it can be told without one. Empty: it would.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        if self.size == 0 {
            return vec![Fault::Empty];
        }
        let mut faults = Vec::new();
        if !self.has_loader {
            faults.push(Fault::NoLoader);
        }
        if self.table.is_none() {
            faults.push(Fault::NoTable);
            return faults;
        }
        self.note_partitions(&mut faults);
        self.note_boot(&mut faults);
        if let (Some(SeedOwner::Node { host: seed, .. }), Some(host)) = (self.seed(), self.host())
            && seed != host
        {
            faults.push(Fault::SeedOfAnother { seed: seed.clone(), host: host.clone() });
        }
        faults
    }

    fn note_partitions(&self, faults: &mut Vec<Fault>) {
        for partition in &self.partitions {
            let slot = &partition.slot;
            let number = slot.number;
            if slot.start < LOADER_END {
                faults.push(Fault::InLoader { number, start: slot.start });
            }
            let end = slot.start.saturating_add(slot.size);
            if end > self.size {
                faults.push(Fault::CutOff { number, size: self.size, end });
            } else if let Content::DamagedExt4(why) = &partition.content {
                faults.push(Fault::Damaged { number, why: why.clone() });
            }
        }
    }

    fn note_boot(&self, faults: &mut Vec<Fault>) {
        let Some((partition, boot)) = self.boot() else {
            // Else it may be in what could not be read.
            if !faults.iter().any(|fault| matches!(fault, Fault::CutOff { .. } | Fault::Damaged { .. })) {
                faults.push(Fault::NoExtlinux);
            }
            return;
        };
        let slot = &partition.slot;
        if !slot.is_bootable && self.partitions.iter().any(|other| other.slot.is_bootable) {
            faults.push(Fault::NotBootable { number: slot.number });
        }
        let Some(entry) = boot.entries.iter().find(|entry| entry.is_default) else {
            faults.push(Fault::NoEntry { configuration: boot.configuration.clone() });
            return;
        };
        let label = || entry.label.clone();
        match entry.kernel {
            Kernel::Arm64 => {}
            Kernel::Foreign => faults.push(Fault::KernelForeign { label: label() }),
            Kernel::Missing => faults.push(Fault::KernelMissing { label: label() }),
        }
        if entry.initrd == Some(false) {
            faults.push(Fault::InitrdMissing { label: label() });
        }
        match entry.device_tree {
            // U-Boot hands on the one that it was built with, which is the module's.
            Tree::Rk1 | Tree::Unnamed => {}
            Tree::Foreign => faults.push(Fault::TreeForeign { label: label() }),
            Tree::Missing => faults.push(Fault::TreeMissing { label: label() }),
        }
    }
}
