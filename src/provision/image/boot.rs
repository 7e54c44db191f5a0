//! What U-Boot finds on a root filesystem: the entries of extlinux, and the files that they name.

use serde::Serialize;

use super::volume::Volume;
use crate::config::cluster::Label;
use crate::config::modules::Hardware;

/// The folders in which U-Boot searches (`boot_prefixes`); NixOS uses the second.
const FOLDERS: [&str; 2] = ["/extlinux", "/boot/extlinux"];
/// Linux: `Documentation/arch/arm64/booting.rst`, at byte 56 of the kernel.
const ARM64_MAGIC: &[u8] = b"ARM\x64";
/// Devicetree specification 0.4, section 5.2.
const TREE_MAGIC: &[u8] = &[0xd0, 0x0d, 0xfe, 0xed];
/// The largest configuration and the largest device tree that are read, in bytes.
const FILE_LIMIT: u64 = 1 << 20;
/// The largest host name file that is read, in bytes.
const HOSTNAME_LIMIT: u64 = 256;
/// The number of entries that are read. NixOS writes one for each generation that it keeps.
const ENTRY_LIMIT: usize = 200;

/// What a filesystem can boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Boot {
    /// The path of the configuration.
    pub configuration: String,
    /// The host name of the system that boots by default.
    pub host: Option<Label>,
    /// The entries in the order of the file.
    pub entries: Vec<BootEntry>,
}

/// An entry of the boot menu: one generation of the system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BootEntry {
    pub label: String,
    pub title: String,
    pub is_default: bool,
    pub kernel: Kernel,
    /// Whether the initrd exists. `None` if the entry names none.
    pub initrd: Option<bool>,
    pub device_tree: DeviceTree,
    /// The path of the program that the kernel starts.
    pub init: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kernel {
    Arm64,
    /// The file is a kernel for another architecture, or is not a kernel.
    Foreign,
    Missing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "&'static str")]
pub enum DeviceTree {
    /// The file is for this module.
    For(&'static Hardware),
    /// The file is for another board, or is not a device tree.
    Foreign,
    Missing,
    /// The entry names no device tree, so U-Boot passes on its own.
    Unnamed,
}

impl From<DeviceTree> for &'static str {
    fn from(tree: DeviceTree) -> Self {
        match tree {
            DeviceTree::For(hardware) => hardware.word,
            DeviceTree::Foreign => "foreign",
            DeviceTree::Missing => "missing",
            DeviceTree::Unnamed => "unnamed",
        }
    }
}

/// Returns what a root filesystem can boot on a module.
pub(super) fn read(volume: &Volume, hardware: &'static Hardware) -> Option<Boot> {
    FOLDERS.iter().find_map(|folder| boot(volume, folder, hardware))
}

fn boot(volume: &Volume, folder: &str, hardware: &'static Hardware) -> Option<Boot> {
    let configuration = format!("{folder}/extlinux.conf");
    let text = String::from_utf8_lossy(&volume.contents(&configuration, FILE_LIMIT)?).into_owned();
    let entries: Vec<_> = parse(&text).iter().map(|entry| entry.resolve(volume, folder, hardware)).collect();
    let default = entries.iter().find(|entry| entry.is_default);
    let host = default.and_then(|entry| host(volume, entry.init.as_deref()?));
    Some(Boot { configuration, host, entries })
}

/// Returns the host name from the system's `/etc`, else from the name of its store path.
fn host(volume: &Volume, init: &str) -> Option<Label> {
    let system = init.strip_suffix("/init")?;
    let own = volume.contents(&format!("{system}/etc/hostname"), HOSTNAME_LIMIT);
    let own = own.and_then(|bytes| Label::parse(String::from_utf8(bytes).ok()?.trim()).ok());
    own.or_else(|| {
        // /nix/store/HASH-nixos-system-HOST-VERSION
        let (_, name) = system.split_once("-nixos-system-")?;
        Label::parse(name.rsplit_once('-')?.0).ok()
    })
}

/// An entry as it is written in the file (U-Boot: `boot/pxe_utils.c`).
#[derive(Debug, Default, PartialEq, Eq)]
struct WrittenEntry<'a> {
    label: &'a str,
    title: &'a str,
    is_default: bool,
    kernel: Option<&'a str>,
    initrd: Option<&'a str>,
    tree: Option<&'a str>,
    tree_folder: Option<&'a str>,
    append: &'a str,
}

fn parse(text: &str) -> Vec<WrittenEntry<'_>> {
    let mut entries: Vec<WrittenEntry<'_>> = Vec::new();
    let mut default = None;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let (keyword, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let value = value.trim();
        if entries.len() >= ENTRY_LIMIT && keyword.eq_ignore_ascii_case("label") {
            break;
        }
        match (keyword.to_ascii_lowercase().as_str(), entries.last_mut()) {
            ("default", _) => default = Some(value),
            ("label", _) => {
                entries.push(WrittenEntry { label: value, title: value, ..WrittenEntry::default() });
            }
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
    // Without a default the first entry boots.
    let first = entries.iter().position(|entry| default == Some(entry.label)).unwrap_or(0);
    if let Some(entry) = entries.get_mut(first) {
        entry.is_default = true;
    }
    entries
}

impl WrittenEntry<'_> {
    fn resolve(&self, volume: &Volume, folder: &str, hardware: &'static Hardware) -> BootEntry {
        let path =
            |path: &str| if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
        let tree = match (self.tree, self.tree_folder) {
            (Some(tree), _) => Some(path(tree)),
            (None, Some(folder)) => Some(format!("{}/{}", path(folder), hardware.device_tree)),
            (None, None) => None,
        };
        BootEntry {
            label: self.label.to_owned(),
            title: self.title.to_owned(),
            is_default: self.is_default,
            kernel: self.kernel.map_or(Kernel::Missing, |name| kernel(volume, &path(name))),
            initrd: self.initrd.map(|name| volume.exists(&path(name))),
            device_tree: tree.map_or(DeviceTree::Unnamed, |path| device_tree(volume, &path, hardware)),
            init: self
                .append
                .split_whitespace()
                .find_map(|word| word.strip_prefix("init="))
                .map(str::to_owned),
        }
    }
}

fn kernel(volume: &Volume, path: &str) -> Kernel {
    match volume.head::<64>(path) {
        None => Kernel::Missing,
        Some(head) if head.get(56..60) == Some(ARM64_MAGIC) => Kernel::Arm64,
        Some(_) => Kernel::Foreign,
    }
}

fn device_tree(volume: &Volume, path: &str, hardware: &'static Hardware) -> DeviceTree {
    let Some(bytes) = volume.contents(path, FILE_LIMIT) else { return DeviceTree::Missing };
    let compatible = [hardware.compatible.as_bytes(), b"\0"].concat();
    let is_for_module =
        bytes.starts_with(TREE_MAGIC) && bytes.windows(compatible.len()).any(|window| window == compatible);
    if is_for_module { DeviceTree::For(hardware) } else { DeviceTree::Foreign }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_of_nixos_is_read() {
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
            WrittenEntry {
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
