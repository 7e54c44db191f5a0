//! Loop devices and mounts, gone when the test is, however it ends.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::program::{run, try_run};

/// A part of a file as a block device.
pub(crate) struct Loop(pub(crate) String);

impl Loop {
    pub(crate) fn new(file: &Path, offset: u64, size: u64) -> Result<Self, String> {
        let (offset, size) = (offset.to_string(), size.to_string());
        let file = file.to_str().unwrap_or_default();
        let arguments = ["--find", "--show", "--offset", &offset, "--sizelimit", &size, file];
        try_run("losetup", &arguments).map(|output| Self(output.trim().to_owned()))
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = try_run("losetup", &["--detach", &self.0]);
    }
}

pub(crate) struct Mount(PathBuf);

impl Mount {
    pub(crate) fn new(device: &Loop, place: &Path) -> Result<Self, String> {
        try_run("mount", &[&device.0, place.to_str().unwrap_or_default()]).map(|_| Self(place.to_owned()))
    }

    /// Mounts a FAT with the kernel, or with `fusefat` if the kernel does not support it.
    pub(crate) fn fat(device: &Loop, place: &Path) -> Result<Self, String> {
        let place_name = place.to_str().unwrap_or_default();
        let program = programs().join("mount");
        let program = if program.exists() { program.to_str().unwrap_or_default() } else { "mount" };
        try_run(program, &["-t", "vfat", "-o", "rw", &device.0, place_name]).map(|_| Self(place.to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        unmount(&self.0);
    }
}

/// Takes away whatever is mounted there, also what a killed script left.
pub(crate) fn unmount(place: &Path) {
    let _ = try_run("umount", &["--quiet", place.to_str().unwrap_or_default()]);
}

fn kernel_knows_fat() -> bool {
    // Loaded on demand where it is a module.
    let _ = try_run("modprobe", &["--quiet", "vfat"]);
    fs::read_to_string("/proc/filesystems").unwrap_or_default().contains("\tvfat")
}

/// A folder for the front of `PATH`: where the kernel has no FAT, with a `mount` that takes `fusefat`.
pub(crate) fn programs() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("programs");
        fs::create_dir_all(&folder).unwrap();
        let mount = folder.join("mount");
        if kernel_knows_fat() {
            let _ = fs::remove_file(&mount);
        } else {
            // -t vfat -o OPTIONS DEVICE PLACE
            write_program(&mount, "#!/bin/sh\nexec fusefat -o rw+ \"$5\" \"$6\" >/dev/null 2>&1\n");
        }
        folder
    })
}

pub(crate) fn write_program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The bytes behind a device, once everything is written.
pub(crate) fn bytes_behind(device: &Loop) -> Vec<u8> {
    run("sync", &[&device.0]);
    fs::read(&device.0).unwrap()
}
