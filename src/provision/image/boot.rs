//! What U-Boot will find on a root filesystem: extlinux's entries, and the files that they name.

use std::fs::File;

use ext4_view::{Ext4, Ext4Error};
use serde::Serialize;

use crate::config::cluster::Label;

/// Where U-Boot looks (`boot_prefixes`; NixOS takes the second).
const FOLDERS: [&str; 2] = ["/extlinux", "/boot/extlinux"];
/// The device tree that U-Boot looks for below an entry's `FDTDIR` (its `turing-rk1-rk3588_defconfig`).
const TREE: &str = "rockchip/rk3588-turing-rk1.dtb";
/// Linux: `Documentation/arch/arm64/booting.rst`, at byte 56 of the kernel.
const ARM64_MAGIC: &[u8] = b"ARM\x64";
/// Devicetree specification 0.4, section 5.2.
const TREE_MAGIC: &[u8] = &[0xd0, 0x0d, 0xfe, 0xed];
/// What the module's device tree says it is (Linux: `rk3588-turing-rk1.dts`).
const COMPATIBLE: &[u8] = b"turing,rk1\0";
/// Bytes of configuration and of device trees that are read at most.
const TEXT_LIMIT: u64 = 1 << 20;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ext4Volume {
    pub label: String,
    pub uuid: String,
    pub boot: Option<Boot>,
}

/// What one filesystem can boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Boot {
    /// Path of the configuration.
    pub configuration: String,
    /// The name of the system that boots by default.
    pub host: Option<Label>,
    /// In the order of the file; the default is marked.
    pub entries: Vec<Entry>,
}

/// One generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub label: String,
    pub title: String,
    pub is_default: bool,
    pub kernel: Kernel,
    /// Whether the initrd is there. None where the entry has none.
    pub initrd: Option<bool>,
    pub device_tree: Tree,
    /// The system that the kernel hands over to.
    pub init: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kernel {
    Arm64,
    /// Of another architecture, or no kernel at all.
    Foreign,
    Missing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tree {
    Rk1,
    /// Of another board, or no device tree at all.
    Foreign,
    Missing,
    /// The entry names none: the kernel gets U-Boot's own.
    Unnamed,
}

/// Reads a filesystem that was kept.
pub(super) fn read(file: File) -> Result<Ext4Volume, Ext4Error> {
    let volume = Ext4::load(Box::new(file))?;
    let label = volume.label().display().to_string();
    let boot = FOLDERS.iter().find_map(|folder| boot(&volume, folder));
    Ok(Ext4Volume { label, uuid: volume.uuid().to_string(), boot })
}

fn boot(volume: &Ext4, folder: &str) -> Option<Boot> {
    let configuration = format!("{folder}/extlinux.conf");
    let text = String::from_utf8_lossy(&contents(volume, &configuration)?).into_owned();
    let entries: Vec<_> = parse(&text).iter().map(|typed| typed.resolve(volume, folder)).collect();
    let default = entries.iter().find(|entry| entry.is_default);
    let host = default.and_then(|entry| host(volume, entry.init.as_deref()?));
    Some(Boot { configuration, host, entries })
}

/// What the system calls itself in its `/etc`; else what the store calls the system.
fn host(volume: &Ext4, init: &str) -> Option<Label> {
    let system = init.strip_suffix("/init")?;
    let own = contents(volume, &format!("{system}/etc/hostname"));
    let own = own.and_then(|bytes| Label::parse(String::from_utf8(bytes).ok()?.trim()).ok());
    own.or_else(|| {
        // /nix/store/HASH-nixos-system-HOST-VERSION
        let (_, name) = system.split_once("-nixos-system-")?;
        Label::parse(name.rsplit_once('-')?.0).ok()
    })
}

/// An entry as written: U-Boot's `boot/pxe_utils.c`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Typed<'a> {
    label: &'a str,
    title: &'a str,
    is_default: bool,
    kernel: Option<&'a str>,
    initrd: Option<&'a str>,
    tree: Option<&'a str>,
    tree_folder: Option<&'a str>,
    append: &'a str,
}

fn parse(text: &str) -> Vec<Typed<'_>> {
    let mut entries: Vec<Typed<'_>> = Vec::new();
    let mut default = None;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let (keyword, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let value = value.trim();
        match (keyword.to_ascii_lowercase().as_str(), entries.last_mut()) {
            ("default", _) => default = Some(value),
            ("label", _) => entries.push(Typed { label: value, title: value, ..Typed::default() }),
            ("menu", Some(entry)) => {
                if let Some((_, title)) = value.split_once(char::is_whitespace) {
                    entry.title = title.trim();
                }
            }
            ("linux" | "kernel", Some(entry)) => entry.kernel = Some(value),
            ("initrd", Some(entry)) => entry.initrd = Some(value),
            ("fdt" | "devicetree", Some(entry)) => entry.tree = Some(value),
            ("fdtdir" | "devicetreedir", Some(entry)) => entry.tree_folder = Some(value),
            ("append", Some(entry)) => entry.append = value,
            _ => {}
        }
    }
    // Without a default the first one boots.
    let first = entries.iter().position(|entry| default == Some(entry.label)).unwrap_or(0);
    if let Some(entry) = entries.get_mut(first) {
        entry.is_default = true;
    }
    entries
}

impl Typed<'_> {
    fn resolve(&self, volume: &Ext4, folder: &str) -> Entry {
        let path =
            |path: &str| if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
        let tree = match (self.tree, self.tree_folder) {
            (Some(tree), _) => Some(path(tree)),
            (None, Some(folder)) => Some(format!("{}/{TREE}", path(folder))),
            (None, None) => None,
        };
        Entry {
            label: self.label.to_owned(),
            title: self.title.to_owned(),
            is_default: self.is_default,
            kernel: self.kernel.map_or(Kernel::Missing, |name| kernel(volume, &path(name))),
            initrd: self.initrd.map(|name| volume.metadata(path(name).as_str()).is_ok()),
            device_tree: tree.map_or(Tree::Unnamed, |path| device_tree(volume, &path)),
            init: self
                .append
                .split_whitespace()
                .find_map(|word| word.strip_prefix("init="))
                .map(str::to_owned),
        }
    }
}

fn kernel(volume: &Ext4, path: &str) -> Kernel {
    let Ok(mut file) = volume.open(path) else { return Kernel::Missing };
    let mut header = [0; 64];
    let mut read = 0;
    while let Some(rest) = header.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match file.read_bytes(rest) {
            Ok(0) => break,
            Ok(count) => read += count,
            Err(_) => return Kernel::Missing,
        }
    }
    if header.get(56..60) == Some(ARM64_MAGIC) { Kernel::Arm64 } else { Kernel::Foreign }
}

fn device_tree(volume: &Ext4, path: &str) -> Tree {
    match contents(volume, path) {
        None => Tree::Missing,
        Some(bytes) if !bytes.starts_with(TREE_MAGIC) => Tree::Foreign,
        Some(bytes) if bytes.windows(COMPATIBLE.len()).any(|window| window == COMPATIBLE) => Tree::Rk1,
        Some(_) => Tree::Foreign,
    }
}

/// A file's bytes, unless it is larger than such a file can be.
fn contents(volume: &Ext4, path: &str) -> Option<Vec<u8>> {
    let metadata = volume.metadata(path).ok()?;
    (metadata.file_type().is_regular_file() && metadata.len() <= TEXT_LIMIT).then_some(())?;
    volume.read(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nixos_writes_is_read() {
        let text = "# Generated file, all changes will be lost on nixos-rebuild!\n\n\
                    # Change this to e.g. nixos-42 to temporarily boot to an older configuration.\n\
                    DEFAULT nixos-default\n\nMENU TITLE ----\nTIMEOUT 50\n\n\
                    LABEL nixos-default\n  MENU LABEL NixOS - Default\n  LINUX ../nixos/a-Image\n  \
                    INITRD ../nixos/a-initrd\n  APPEND init=/nix/store/x/init loglevel=4\n  \
                    FDT ../nixos/a-dtbs/rockchip/b.dtb\n\n\
                    LABEL nixos-1-default\n  MENU LABEL NixOS - Configuration 1\n  LINUX ../nixos/b-Image\n";
        let entries = parse(text);
        let [first, second] = entries.as_slice() else { panic!("{entries:?}") };
        assert_eq!(
            *first,
            Typed {
                label: "nixos-default",
                title: "NixOS - Default",
                is_default: true,
                kernel: Some("../nixos/a-Image"),
                initrd: Some("../nixos/a-initrd"),
                tree: Some("../nixos/a-dtbs/rockchip/b.dtb"),
                tree_folder: None,
                append: "init=/nix/store/x/init loglevel=4",
            }
        );
        assert_eq!((second.label, second.is_default), ("nixos-1-default", false));
    }
}
