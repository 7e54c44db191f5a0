use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::outcome::Outcome;
use super::output::{print, print_mistake, say};
use super::progress::{bar, human};
use crate::common::printable::printable;
use crate::config::diagnostics::Mistake;
use crate::config::modules::Hardware;
use crate::provision::image::{
    self, BootEntry, Compression, Content, DeviceTree, ImageFault, InspectError, Inspection, Kernel,
    Partition, SeedOwner, TableKind, UnpackError,
};

/// Print what an image contains and check whether it boots on an RK1
///
/// Reads a raw image or one compressed with xz. Exits with 1 if it would not boot.
#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// Image, such as result/rk1-01.img.xz
    image: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let name = self.image.display();
        let hardware = Hardware::DEFAULT;
        let opened = match image::open(&self.image, hardware) {
            Ok(opened) => opened,
            Err(error) => return Ok(refuse(&error.to_string(), error.hint())),
        };
        let compression = opened.compression();
        let bar = bar(&name.to_string(), "inspecting the image", None);
        let inspected = image::inspect(bar.wrap_read(opened), hardware);
        bar.finish_and_clear();
        let inspection = match inspected {
            Ok(inspection) => inspection,
            Err(error) => return Ok(refuse(&format!("`{name}`: {error}"), hint(&error))),
        };
        let faults = inspection.faults();
        if self.json {
            print(&json_of(&self.image, compression, &inspection, &faults)?)?;
        } else {
            print(&text(compression, &inspection))?;
        }
        for fault in &faults {
            print_mistake(printable(&fault.to_string()), fault.hint());
        }
        let module = hardware.indefinite();
        match faults.len() {
            0 => say!("{name}: would boot on {module}"),
            1 => say!("{name}: would not boot on {module}: 1 fault"),
            count => say!("{name}: would not boot on {module}: {count} faults"),
        }
        Ok(if faults.is_empty() { Outcome::Done } else { Outcome::Failed })
    }
}

/// Prints why a file is not an image.
fn refuse(error: &str, hint: Option<String>) -> Outcome {
    print_mistake(error, hint);
    Outcome::Failed
}

fn hint(error: &InspectError) -> Option<String> {
    let InspectError::Read(error) = error else { return None };
    error.get_ref()?.downcast_ref::<UnpackError>()?.hint()
}

fn json_of(
    image: &Path,
    compression: Compression,
    inspection: &Inspection,
    faults: &[ImageFault],
) -> anyhow::Result<String> {
    let faults: Vec<_> =
        faults.iter().map(|fault| json!({ "message": fault.to_string(), "hint": fault.hint() })).collect();
    let mut value = serde_json::to_value(inspection)?;
    if let Some(object) = value.as_object_mut() {
        object.insert("image".to_owned(), json!(image));
        object.insert("compression".to_owned(), json!(compression));
        object.insert("host".to_owned(), json!(inspection.host()));
        object.insert("seed".to_owned(), json!(inspection.seed()));
        object.insert("faults".to_owned(), json!(faults));
    }
    Ok(format!("{value:#}\n"))
}

fn text(compression: Compression, inspection: &Inspection) -> String {
    let host = inspection.host().map_or("unknown", |host| host.as_str());
    let packed = match compression {
        Compression::None => "raw",
        Compression::Xz => "xz",
    };
    let chip = inspection.hardware.chip;
    let loader = if inspection.has_loader { format!("for the {chip}") } else { "none".to_owned() };
    let table = inspection.table.as_ref().map_or("none".to_owned(), |table| match table.kind {
        TableKind::Mbr => format!("MBR {}", table.id),
        TableKind::Gpt => format!("GPT {}", table.id),
    });
    let mut rows = vec![
        ("host", host.to_owned()),
        ("size", format!("{} ({} bytes), {packed}", human(inspection.size), inspection.size)),
        ("sha256", format!("{} (decompressed)", inspection.sha256)),
        ("loader", loader),
        ("table", table),
    ];
    rows.extend(inspection.partitions.iter().map(|partition| ("partition", partition_line(partition))));
    if let Some((partition, boot)) = inspection.boot() {
        rows.push(("boots", format!("{} of partition {}", boot.configuration, partition.entry.number)));
        rows.extend(boot.entries.iter().map(|entry| ("entry", entry_line(entry, inspection.hardware.name))));
    }
    rows.push(("seed", seed_line(inspection.seed())));
    rows.iter().fold(String::new(), |text, (key, value)| text + &format!("{key:<10} {}\n", printable(value)))
}

fn partition_line(partition: &Partition) -> String {
    let entry = &partition.entry;
    let flag = if entry.is_bootable { ", bootable" } else { "" };
    let content = match &partition.content {
        Content::Fat(fat) => format!("FAT `{}` {}", fat.label, fat.id),
        Content::Ext4(volume) => format!("ext4 `{}` {}", volume.label, volume.uuid),
        Content::DamagedExt4(_) => "ext4, damaged".to_owned(),
        Content::Unknown => "unknown".to_owned(),
        Content::CutOff => "incomplete: the image ends before it".to_owned(),
    };
    let (size, start) = (human(entry.size), human(entry.start));
    format!("{} {size} at {start}, type {}{flag}: {content}", entry.number, entry.kind)
}

fn entry_line(entry: &BootEntry, module: &str) -> String {
    let kernel = match entry.kernel {
        Kernel::Arm64 => "kernel for arm64",
        Kernel::Foreign => "kernel NOT for arm64",
        Kernel::Missing => "kernel MISSING",
    };
    let initrd = match entry.initrd {
        Some(true) => "initrd",
        Some(false) => "initrd MISSING",
        None => "no initrd",
    };
    let tree = match entry.device_tree {
        DeviceTree::For(_) => format!("device tree for the {module}"),
        DeviceTree::Foreign => format!("device tree NOT for the {module}"),
        DeviceTree::Missing => "device tree MISSING".to_owned(),
        DeviceTree::Unnamed => "device tree of U-Boot".to_owned(),
    };
    let default = if entry.is_default { " (default)" } else { "" };
    format!("{}{default} `{}`: {kernel}, {initrd}, {tree}", entry.label, entry.title)
}

fn seed_line(seed: Option<&SeedOwner>) -> String {
    match seed {
        None => "none".to_owned(),
        Some(SeedOwner::Node { cluster, host }) => format!("for {host} of {cluster}"),
        Some(SeedOwner::Unreadable) => "files without an owner".to_owned(),
    }
}
