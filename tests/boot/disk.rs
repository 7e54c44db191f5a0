//! The image of a host: the root filesystem, packed as make-ext4-fs does, and put together by images/assemble.sh.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::evaluation::{Evaluation, write};
use crate::tree::{run, text};

const ASSEMBLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/images/assemble.sh");
/// The size of the emulated eMMC. QEMU wants a power of two.
const EMMC: u64 = 4 << 30;
const MEBIBYTE: u64 = 1 << 20;

/// Makes the disk of a host in `folder` from the tree at `root`, and returns its path.
pub(crate) fn make(evaluation: &Evaluation, root: &Path, folder: &Path) -> PathBuf {
    let host = &evaluation.host;
    let filesystem = folder.join("root.ext4");
    pack(host, root, &filesystem);

    let bin = folder.join("bin");
    // Packing takes minutes, and nothing here reads the packed image.
    write(&bin.join("xz"), "#!/bin/sh\nfor image; do :; done\nexec cat \"$image\"\n", 0o755);
    let loader = folder.join("loader");
    fs::write(&loader, vec![0x55; 4096]).expect("a loader");
    let layout = &host["layout"];
    let mut command = Command::new("bash");
    command.args(["-e", ASSEMBLE]).current_dir(folder);
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .env("PATH", format!("{}:{path}:/usr/sbin:/sbin", bin.display()))
        .env("out", folder.join("out"))
        .env("IMAGE_NAME", "host")
        .env("LOADER", &loader)
        .env("ROOT", &filesystem)
        .env("NIX_BUILD_CORES", "2")
        .env("DISK_ID", text(&host["diskId"]))
        .env("SEED_ID", text(&host["seedId"]))
        .env("SEED_LABEL", text(&layout["seedLabel"]));
    for (variable, key) in [
        ("SECTOR_SIZE", "sectorSize"),
        ("BLOCK_SIZE", "blockSize"),
        ("LOADER_OFFSET", "loaderOffset"),
        ("LOADER_LIMIT", "loaderLimit"),
        ("SEED_OFFSET", "seedOffset"),
        ("SEED_SIZE", "seedSize"),
        ("ROOT_OFFSET", "rootOffset"),
    ] {
        command.env(variable, layout[key].to_string());
    }
    run(&mut command);
    fs::remove_file(&filesystem).expect("a file");
    fs::remove_file(folder.join("host.img")).expect("a file");
    let disk = folder.join("emmc");
    fs::rename(folder.join("out/host.img.xz"), &disk).expect("an image");
    // What the board's eMMC has beyond the image.
    fs::OpenOptions::new().write(true).open(&disk).and_then(|file| file.set_len(EMMC)).expect("a disk");
    disk
}

fn pack(host: &Value, root: &Path, filesystem: &Path) {
    let output = Command::new("du").args(["-s", "-B", "1"]).arg(root).output().expect("du");
    let used = String::from_utf8_lossy(&output.stdout);
    let used: u64 = used.split_whitespace().next().and_then(|size| size.parse().ok()).expect("a size");
    // make-ext4-fs: half as much again is enough for any tree, and what is left is cut off.
    let size = (used * 3 / 2 + 64 * MEBIBYTE) / 4096 * 4096;
    let file = fs::File::create(filesystem).expect("a file");
    file.set_len(size).expect("a size");
    let environment = [("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")];
    run(Command::new("mke2fs")
        .envs(environment)
        .args(["-q", "-t", "ext4", "-F", "-U", text(&host["rootUuid"]), "-L", text(&host["rootLabel"]), "-d"])
        .arg(root)
        .arg(filesystem));
    run(Command::new("resize2fs").envs(environment).arg("-M").arg(filesystem));
    let size = fs::metadata(filesystem).expect("a file").len() + 16 * MEBIBYTE;
    file.set_len(size).expect("a size");
    run(Command::new("resize2fs").envs(environment).arg(filesystem));
}

/// Writes files to the seed partition of a disk.
pub(crate) fn seed(evaluation: &Evaluation, disk: &Path, files: &[(&str, &[u8])]) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        let file = folder.path().join("file");
        fs::write(&file, bytes).expect("a file");
        let image = format!("{}@@{}", disk.display(), evaluation.host["layout"]["seedOffset"]);
        run(Command::new("mcopy").args(["-i", &image]).arg(&file).arg(format!("::{name}")));
    }
}
