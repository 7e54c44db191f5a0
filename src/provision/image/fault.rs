//! The reasons why an image would not boot on its module.

use thiserror::Error;

use super::boot::{DeviceTree, Kernel};
use super::fat::SeedOwner;
use super::inspect::{Content, Inspection};
use super::table::TableFault;
use crate::config::cluster::Label;
use crate::config::diagnostics::Mistake;
use crate::config::modules::Hardware;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ImageFault {
    #[error("the image is empty")]
    Empty,
    #[error("no loader for the {} at byte {}", .0.chip, .0.loader.offset)]
    NoLoader(&'static Hardware),
    #[error("no partition table")]
    NoTable,
    #[error("invalid partition table: {0}")]
    Table(TableFault),
    #[error("partition {number} starts at byte {start}, inside the loader")]
    InLoader { number: u32, start: u64 },
    #[error("the image ends at byte {size}, before the end of partition {number} at byte {end}")]
    CutOff { number: u32, size: u64, end: u64 },
    #[error("the ext4 filesystem of partition {number} cannot be read: {why}")]
    Damaged { number: u32, why: String },
    #[error("no partition has the file extlinux/extlinux.conf, which U-Boot boots from")]
    NoExtlinux,
    #[error("partition {number} is not marked bootable, but another one is: U-Boot searches only that one")]
    NotBootable { number: u32 },
    #[error("`{configuration}` has no entry")]
    NoEntry { configuration: String },
    #[error("the kernel of `{label}`, the default entry, is missing")]
    KernelMissing { label: String },
    #[error("the kernel of `{label}`, the default entry, is not for arm64")]
    KernelForeign { label: String },
    #[error("the initrd of `{label}`, the default entry, is missing")]
    InitrdMissing { label: String },
    #[error("the device tree of `{label}`, the default entry, is missing")]
    TreeMissing { label: String, hardware: &'static Hardware },
    #[error("the device tree of `{label}`, the default entry, is not for {}", hardware.indefinite())]
    TreeForeign { label: String, hardware: &'static Hardware },
    #[error("the seed is for `{seed}`, but the image is of `{host}`, which would refuse it")]
    SeedOfAnother { seed: Label, host: Label },
}

impl Mistake for ImageFault {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::Empty | Self::CutOff { .. } | Self::Damaged { .. } => "build or copy the image again",
            Self::NoLoader(hardware) => {
                return Some(format!(
                    "use an image for the {}, such as `nix build .#NAME` makes: other boards have other loaders",
                    hardware.name
                ));
            }
            Self::Table(_) => "build the image again: no partitioning tool writes such a table",
            Self::NoTable => "use the image of a whole disk, not of one filesystem",
            Self::InLoader { .. } => "start the first partition at 16 MiB, as images/layout.nix does",
            Self::NoExtlinux | Self::NoEntry { .. } => {
                "set `boot.loader.generic-extlinux-compatible.enable = true`, as modules/board.nix does"
            }
            Self::NotBootable { .. } => "mark it with `sfdisk --activate IMAGE NUMBER`",
            Self::KernelMissing { .. } | Self::InitrdMissing { .. } => {
                "build the image again: a file that its entry names was not copied into it"
            }
            Self::KernelForeign { .. } => {
                "build for aarch64-linux by `nixpkgs.hostPlatform`, whatever the building machine is"
            }
            Self::TreeMissing { hardware, .. } | Self::TreeForeign { hardware, .. } => {
                return Some(format!(
                    "use a kernel of {} or later, and set `rk1.board.deviceTree = \"{}\"`",
                    hardware.kernel, hardware.device_tree
                ));
            }
            Self::SeedOfAnother { .. } => "use the image without a seed: `rk1 flash` adds the right one",
        };
        Some(instead.to_owned())
    }
}

impl Inspection {
    /// Returns all reasons why the image would not boot on its module, as far as they show without one.
    #[must_use]
    pub fn faults(&self) -> Vec<ImageFault> {
        if self.size == 0 {
            return vec![ImageFault::Empty];
        }
        let mut faults = Vec::new();
        if !self.has_loader {
            faults.push(ImageFault::NoLoader(self.hardware));
        }
        let Some(table) = &self.table else {
            faults.push(ImageFault::NoTable);
            return faults;
        };
        faults.extend(table.faults.iter().cloned().map(ImageFault::Table));
        self.note_partitions(&mut faults);
        self.note_boot(&mut faults);
        if let (Some(SeedOwner::Node { host: seed, .. }), Some(host)) = (self.seed(), self.host())
            && seed != host
        {
            faults.push(ImageFault::SeedOfAnother { seed: seed.clone(), host: host.clone() });
        }
        faults
    }

    fn note_partitions(&self, faults: &mut Vec<ImageFault>) {
        for partition in &self.partitions {
            let entry = &partition.entry;
            let number = entry.number;
            if entry.start < self.hardware.loader.end {
                faults.push(ImageFault::InLoader { number, start: entry.start });
            }
            let end = entry.start.saturating_add(entry.size);
            if end > self.size {
                faults.push(ImageFault::CutOff { number, size: self.size, end });
            } else if let Content::DamagedExt4(why) = &partition.content {
                faults.push(ImageFault::Damaged { number, why: why.clone() });
            }
        }
    }

    fn note_boot(&self, faults: &mut Vec<ImageFault>) {
        let Some((partition, boot)) = self.boot() else {
            // Otherwise the file may be in a partition that could not be read.
            if !faults.iter().any(|fault| {
                matches!(fault, ImageFault::Table(_) | ImageFault::CutOff { .. } | ImageFault::Damaged { .. })
            }) {
                faults.push(ImageFault::NoExtlinux);
            }
            return;
        };
        let table_entry = &partition.entry;
        if !table_entry.is_bootable && self.partitions.iter().any(|other| other.entry.is_bootable) {
            faults.push(ImageFault::NotBootable { number: table_entry.number });
        }
        let Some(entry) = boot.entries.iter().find(|entry| entry.is_default) else {
            faults.push(ImageFault::NoEntry { configuration: boot.configuration.clone() });
            return;
        };
        let label = || entry.label.clone();
        match entry.kernel {
            Kernel::Arm64 => {}
            Kernel::Foreign => faults.push(ImageFault::KernelForeign { label: label() }),
            Kernel::Missing => faults.push(ImageFault::KernelMissing { label: label() }),
        }
        if entry.initrd == Some(false) {
            faults.push(ImageFault::InitrdMissing { label: label() });
        }
        match entry.device_tree {
            // U-Boot passes on the device tree that it was built with, which is the module's.
            DeviceTree::For(_) | DeviceTree::Unnamed => {}
            DeviceTree::Foreign => {
                faults.push(ImageFault::TreeForeign { label: label(), hardware: self.hardware });
            }
            DeviceTree::Missing => {
                faults.push(ImageFault::TreeMissing { label: label(), hardware: self.hardware });
            }
        }
    }
}
