//! The initrd of a host: NixOS's units for it as evaluated, over Debian's systemd.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::evaluation::{Evaluation, write};
use crate::tree::{run, text};
use crate::units;

/// What the initrd has of Debian's files, beside the shared libraries.
const FILES: [&str; 8] = [
    "usr/bin",
    "usr/lib/systemd",
    "usr/lib/udev",
    "usr/lib/tmpfiles.d",
    "usr/lib/modprobe.d",
    "bin",
    "lib",
    "sbin",
];
/// The rules of udev that NixOS has in its initrd, as far as a disk needs them.
const RULES: [&str; 6] =
    ["50-udev-default", "60-block", "60-persistent-storage", "75-probe_mtd", "80-drivers", "99-systemd"];
/// Programs that no initrd needs, which are most of the folder.
const LARGE: u64 = 3_000_000;
/// Libraries that no initrd needs.
const LEFT_OUT: [&str; 10] =
    ["libperl", "libboost", "libnix", "libicu", "libcrypto", "perl", "gconv", "libsqlite", "libgc", "libaws"];
/// Modules that find the emulated eMMC and its filesystem.
const MODULES: [&str; 7] =
    ["sdhci-pci", "mmc_block", "ext4", "crc32c_generic", "libcrc32c", "virtio_pci", "virtio_console"];

/// Packs the initrd into the file `archive`.
pub(crate) fn pack(evaluation: &Evaluation, debian: &Path, kernel: &Path, archive: &Path) {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    for file in FILES {
        let target = root.join(file);
        fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
        if debian.join(file).exists() || debian.join(file).is_symlink() {
            run(Command::new("cp").arg("-a").arg(debian.join(file)).arg(&target));
        }
    }
    for entry in fs::read_dir(root.join("usr/bin")).expect("programs").flatten() {
        if entry.metadata().is_ok_and(|data| data.is_file() && data.len() > LARGE) {
            fs::remove_file(entry.path()).expect("a file");
        }
    }
    for entry in fs::read_dir(root.join("usr/lib/udev/rules.d")).expect("rules").flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        if !RULES.iter().any(|rule| name == format!("{rule}.rules")) {
            fs::remove_file(entry.path()).expect("a file");
        }
    }
    libraries(debian, root);
    for directory in ["proc", "sys", "dev", "run", "tmp", "sysroot", "var", "etc"] {
        fs::create_dir_all(root.join(directory)).expect("a folder");
    }
    symlink("bin", root.join("usr/sbin")).expect("a link");
    symlink("/usr/lib/systemd/systemd", root.join("init")).expect("a link");

    let upstream = root.join("usr/lib/systemd/debian");
    fs::rename(root.join("usr/lib/systemd/system"), &upstream).expect("units");
    let part = &evaluation.host["boot"]["initrd"];
    units::install(part, &upstream, &root.join("etc/systemd/system"));
    evaluation.place(root, &units::texts(part));
    for (target, file) in evaluation.host["initrd"].as_object().expect("files") {
        let target = root.join(target.trim_start_matches('/'));
        let source = text(&file["source"]);
        let of_evaluation = file["text"].as_str().map(str::to_owned).or_else(|| evaluation.text(source));
        if let Some(text) = of_evaluation {
            evaluation.place(root, &text);
            write(&target, &text, 0o644);
        }
    }
    write(&root.join("etc/initrd-release"), "NAME=NixOS\n", 0o644);
    write(&root.join("etc/passwd"), "root:x:0:0::/root:/bin/bash\n", 0o644);
    write(&root.join("etc/group"), "root:x:0:\ntty:x:3:\ndisk:x:6:\n", 0o644);
    write(&root.join("etc/udev/rules.d/99-local.rules"), text(&evaluation.host["udevRules"]), 0o644);
    modules(kernel, root);

    let script = "find . -print0 | cpio --quiet --null --create --format newc --owner 0:0";
    run(Command::new("sh").args(["-c", &format!("{script} >'{}'", archive.display())]).current_dir(root));
}

fn libraries(debian: &Path, root: &Path) {
    let from = debian.join("usr/lib/aarch64-linux-gnu");
    let into = root.join("usr/lib/aarch64-linux-gnu");
    fs::create_dir_all(&into).expect("a folder");
    for entry in fs::read_dir(&from).expect("libraries").flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        let is_needed = name.contains(".so") || name == "systemd";
        if is_needed && !LEFT_OUT.iter().any(|left_out| name.starts_with(left_out)) {
            run(Command::new("cp").arg("-a").arg(entry.path()).arg(into.join(name)));
        }
    }
    // cryptsetup and kmod need it.
    for name in ["libcrypto.so.3", "libcrypto.so.3.0"] {
        if from.join(name).exists() {
            run(Command::new("cp").arg("-a").arg(from.join(name)).arg(into.join(name)));
        }
    }
    run(Command::new("cp")
        .arg("-a")
        .args(["ld-linux-aarch64.so.1"].map(|name| debian.join("usr/lib").join(name)))
        .arg(root.join("usr/lib")));
}

/// Copies modules with those that they need, and the lists by which modprobe finds them.
fn modules(kernel: &Path, root: &Path) {
    let release = release(kernel);
    let from = kernel.join("usr/lib/modules").join(&release);
    let into = root.join("usr/lib/modules").join(&release);
    fs::create_dir_all(&into).expect("a folder");
    for entry in fs::read_dir(&from).expect("modules").flatten() {
        if entry.file_name().to_string_lossy().starts_with("modules.") {
            fs::copy(entry.path(), into.join(entry.file_name())).expect("a copy");
        }
    }
    let lists = fs::read_to_string(from.join("modules.dep")).expect("modules.dep");
    for name in MODULES {
        for line in lists.lines() {
            let Some((file, others)) = line.split_once(':') else { continue };
            let stem = file.rsplit('/').next().unwrap_or_default().split('.').next().unwrap_or_default();
            if stem != name {
                continue;
            }
            for file in [file].into_iter().chain(others.split_whitespace()) {
                let target = into.join(file);
                fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
                fs::copy(from.join(file), target).expect("a module");
            }
        }
    }
}

/// Returns the release of the kernel in this folder.
pub(crate) fn release(kernel: &Path) -> String {
    let mut names = fs::read_dir(kernel.join("boot")).expect("a kernel").flatten();
    names
        .find_map(|entry| Some(entry.file_name().to_str()?.strip_prefix("vmlinuz-")?.to_owned()))
        .expect("a kernel")
}

pub(crate) fn image(kernel: &Path) -> PathBuf {
    kernel.join("boot").join(format!("vmlinuz-{}", release(kernel)))
}
