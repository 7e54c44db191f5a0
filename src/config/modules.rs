//! The kinds of nodes: one row of facts for each. Code asks what a module needs or can do, not which one it is.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::common::nearest::nearest;

/// A kind of node.
#[derive(Debug, PartialEq, Eq)]
pub struct Module {
    /// How `cluster.toml` names it.
    pub word: &'static str,
    /// How people name it.
    pub name: &'static str,
    /// Whether the board's BMC can switch it on and off and write to its boot disk.
    pub is_known_to_bmc: bool,
    /// What an image for it has to fit. `None` if it is installed by other means, so that it gets neither an image nor a host
    /// of NixOS, and joins the cluster by itself.
    pub hardware: Option<&'static Hardware>,
}

/// What an image has to fit in order to boot on a module.
#[derive(Debug, PartialEq, Eq)]
pub struct Hardware {
    /// The word and the name of the module.
    pub word: &'static str,
    pub name: &'static str,
    /// The article before the name.
    pub article: &'static str,
    /// The system on a chip, whose boot ROM starts the loader.
    pub chip: &'static str,
    pub loader: Loader,
    /// The package of nixpkgs with U-Boot, which is the loader.
    pub uboot: &'static str,
    /// The device tree that U-Boot searches below the `FDTDIR` of an entry, relative to the kernel's `dtbs`.
    pub device_tree: &'static str,
    /// The board that the device tree names in `compatible`.
    pub compatible: &'static str,
    /// The first kernel release that contains the device tree.
    pub kernel: &'static str,
    pub boot_disk: BootDisk,
}

/// The program that the boot ROM starts. Offsets are in bytes from the start of the boot disk.
#[derive(Debug, PartialEq, Eq)]
pub struct Loader {
    pub offset: u64,
    /// Its first bytes.
    pub magic: [u8; 4],
    /// No partition starts before this offset.
    pub end: u64,
}

/// The disk that the module boots from, which an image is written to.
#[derive(Debug, PartialEq, Eq)]
pub struct BootDisk {
    /// How people name it.
    pub name: &'static str,
    /// The beginning of its device names below /dev.
    pub device_prefix: &'static str,
    /// The size as it is sold, in bytes. The usable size is somewhat smaller.
    pub size: u64,
}

/// The loader of Rockchip's newer chips: the boot ROM looks for it in sector 64, in the "new image" format of U-Boot's
/// `tools/rkcommon.c`. The second part of U-Boot lies at 8 MiB and is larger than one, so that it ends before 10.
pub const ROCKCHIP: Loader = Loader { offset: 64 * 512, magic: *b"RKNS", end: 10 << 20 };

/// U-Boot: `turing-rk1-rk3588_defconfig`. Linux: `rk3588-turing-rk1.dts`.
const RK1: Hardware = Hardware {
    word: "rk1",
    name: "RK1",
    article: "an",
    chip: "RK3588",
    loader: ROCKCHIP,
    uboot: "ubootTuringRK1",
    device_tree: "rockchip/rk3588-turing-rk1.dtb",
    compatible: "turing,rk1",
    kernel: "6.13",
    boot_disk: BootDisk { name: "eMMC", device_prefix: "mmcblk", size: 32_000_000_000 },
};

/// `FriendlyElec`'s compute module with its NAS carrier. U-Boot: `cm3588-nas-rk3588_defconfig`. Linux:
/// `rk3588-friendlyelec-cm3588-nas.dts`.
const CM3588: Hardware = Hardware {
    word: "cm3588",
    name: "CM3588",
    article: "a",
    chip: "RK3588",
    loader: ROCKCHIP,
    uboot: "ubootCM3588NAS",
    device_tree: "rockchip/rk3588-friendlyelec-cm3588-nas.dtb",
    compatible: "friendlyarm,cm3588-nas",
    kernel: "6.11",
    boot_disk: BootDisk { name: "eMMC", device_prefix: "mmcblk", size: 64_000_000_000 },
};

pub const MODULES: &[Module] = &[
    Module { word: RK1.word, name: RK1.name, is_known_to_bmc: true, hardware: Some(&RK1) },
    Module { word: CM3588.word, name: CM3588.name, is_known_to_bmc: false, hardware: Some(&CM3588) },
    Module { word: "other", name: "other machine", is_known_to_bmc: false, hardware: None },
];

/// Machines that people name, which join by themselves.
const OTHERS: [&str; 12] =
    ["cm4", "cm5", "jetson", "nano", "nuc", "orin", "pi", "pi4", "pi5", "raspberry", "raspberry-pi", "x86"];

impl Module {
    /// The kind of a node that does not say its own.
    pub const DEFAULT: &'static Self = &MODULES[0];

    #[must_use]
    pub fn of_word(word: &str) -> Option<&'static Self> {
        MODULES.iter().find(|module| module.word == word)
    }

    /// Returns the word that was probably meant.
    #[must_use]
    pub fn meant(word: &str) -> Option<&'static str> {
        let word = word.to_ascii_lowercase();
        if OTHERS.contains(&word.as_str()) {
            return Some("other");
        }
        nearest(&word, MODULES.iter().map(|module| module.word))
    }
}

impl JsonSchema for Module {
    fn schema_name() -> Cow<'static, str> {
        "Module".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<_> = MODULES.iter().map(|module| module.word).collect();
        json_schema!({ "description": "A kind of node.", "type": "string", "enum": words })
    }
}

impl Hardware {
    /// What an image is for if nothing says for which module it was made.
    pub const DEFAULT: &'static Self = &RK1;

    /// The name with its article, as in "would boot on an RK1".
    #[must_use]
    pub fn indefinite(&self) -> String {
        format!("{} {}", self.article, self.name)
    }
}
