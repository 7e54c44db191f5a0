//! An image of a node, with stand-ins for the loader and the root filesystem that have what U-Boot reads.

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rk1::provision::image::layout::{
    BLOCK_SIZE, LOADER_LIMIT, LOADER_OFFSET, ROOT_OFFSET, SECTOR_SIZE, SEED_LABEL, SEED_OFFSET, SEED_SIZE,
};
use rk1::provision::seed::Seeded;
use tempfile::TempDir;

use crate::cluster::{identity, partition};
use crate::program::{lacks, run};

const MIB: usize = 1 << 20;
pub(crate) const HOST: &str = "rk1-01";

/// The image of [`HOST`]. It is made once for all tests.
pub(crate) struct Composed {
    directory: TempDir,
}

impl Composed {
    /// Returns `None` if a program is missing, which is reported.
    pub(crate) fn new(test: &str) -> Option<&'static Self> {
        static IMAGE: OnceLock<Composed> = OnceLock::new();
        if lacks(test, &["bash", "mkfs.ext4", "mkfs.vfat", "sfdisk", "sha256sum", "xz"]) {
            return None;
        }
        Some(IMAGE.get_or_init(|| {
            let directory = tempfile::tempdir().unwrap();
            let root = directory.path().join("root.img");
            root_filesystem(&root, &RootFiles::default());
            assemble(directory.path(), &root);
            Self { directory }
        }))
    }

    /// Returns the folder that Nix would call `result`.
    pub(crate) fn result(&self) -> PathBuf {
        self.directory.path().join("result")
    }

    pub(crate) fn packed(&self) -> PathBuf {
        self.result().join(format!("{HOST}.img.xz"))
    }

    /// Returns the decompressed bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(self.directory.path().join(format!("{HOST}.img"))).unwrap()
    }

    /// Returns the image with the seed of a node.
    pub(crate) fn seeded(&self, name: &str) -> Vec<u8> {
        let mut seeded = Vec::new();
        Seeded::new(&self.bytes()[..], partition(name)).unwrap().read_to_end(&mut seeded).unwrap();
        seeded
    }
}

/// Makes a loader of 9 MiB, the size of U-Boot.
fn loader() -> Vec<u8> {
    let mut loader: Vec<u8> = (0..9 * MIB).map(|place| u8::try_from(place % 251).unwrap()).collect();
    loader[..4].copy_from_slice(b"RKNS");
    loader
}

/// Runs the script that Nix would run.
fn assemble(directory: &Path, root: &Path) {
    let names = identity(HOST);
    fs::write(directory.join("loader"), loader()).unwrap();
    let numbers = [
        ("SECTOR_SIZE", SECTOR_SIZE),
        ("BLOCK_SIZE", BLOCK_SIZE),
        ("LOADER_OFFSET", LOADER_OFFSET),
        ("LOADER_LIMIT", LOADER_LIMIT),
        ("SEED_OFFSET", SEED_OFFSET),
        ("SEED_SIZE", SEED_SIZE),
        ("ROOT_OFFSET", ROOT_OFFSET),
    ];
    let output = Command::new("bash")
        .args(["-o", "errexit", "-o", "nounset", "-o", "pipefail"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("images/assemble.sh"))
        .current_dir(directory)
        .envs(numbers.map(|(name, number)| (name, number.to_string())))
        .env("IMAGE_NAME", HOST)
        .env("LOADER", directory.join("loader"))
        .env("ROOT", root)
        .env("DISK_ID", format!("{:08x}", names.disk_id))
        .env("SEED_ID", format!("{:08x}", names.seed_id))
        .env("SEED_LABEL", SEED_LABEL)
        .env("out", directory.join("result"))
        .env("NIX_BUILD_CORES", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The files that U-Boot would load.
pub(crate) struct RootFiles {
    pub(crate) configuration: bool,
    pub(crate) kernel: Option<Vec<u8>>,
    pub(crate) initrd: bool,
    pub(crate) tree: Option<&'static [u8]>,
}

impl Default for RootFiles {
    fn default() -> Self {
        Self {
            configuration: true,
            kernel: Some(kernel(*b"ARM\x64")),
            initrd: true,
            tree: Some(b"\xd0\x0d\xfe\xed....Turing Machines RK1\0turing,rk1\0rockchip,rk3588\0"),
        }
    }
}

/// Makes a kernel with the magic number of an architecture.
pub(crate) fn kernel(magic: [u8; 4]) -> Vec<u8> {
    let mut kernel = vec![0; 64 << 10];
    kernel[56..60].copy_from_slice(&magic);
    kernel
}

/// Makes a filesystem with two generations, as `make-ext4-fs` of nixpkgs does.
pub(crate) fn root_filesystem(image: &Path, files: &RootFiles) {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let put = |name: &str, bytes: &[u8]| {
        fs::create_dir_all(path(name).parent().unwrap()).unwrap();
        fs::write(path(name), bytes).unwrap();
    };
    if files.configuration {
        put("boot/extlinux/extlinux.conf", CONFIGURATION.as_bytes());
    }
    if let Some(kernel) = &files.kernel {
        put("boot/nixos/k-linux-6.18-Image", kernel);
    }
    if files.initrd {
        put("boot/nixos/i-initrd", b"initrd");
    }
    if let Some(tree) = files.tree {
        put("boot/nixos/t-dtbs/rockchip/rk3588-turing-rk1.dtb", tree);
    }
    let system = format!("nix/store/s-nixos-system-{HOST}-26.05");
    put(&format!("{system}/init"), b"#!/bin/sh\n");
    put("nix/store/h-etc-hostname", format!("{HOST}\n").as_bytes());
    fs::create_dir_all(path("nix/store/e-etc/etc")).unwrap();
    symlink("/nix/store/e-etc/etc", path(&format!("{system}/etc"))).unwrap();
    symlink("/nix/store/h-etc-hostname", path("nix/store/e-etc/etc/hostname")).unwrap();

    let names = identity(HOST);
    fs::File::create(image).unwrap().set_len(20 * MIB as u64).unwrap();
    run(
        "mkfs.ext4",
        &[
            "-q",
            "-L",
            &names.root_label,
            "-U",
            &names.root_uuid,
            "-d",
            directory.path().to_str().unwrap(),
            image.to_str().unwrap(),
        ],
    );
}

const CONFIGURATION: &str = "\
# Generated file, all changes will be lost on nixos-rebuild!

# Change this to e.g. nixos-42 to temporarily boot to an older configuration.
DEFAULT nixos-default

MENU TITLE ------------------------------------------------------------
TIMEOUT 50

LABEL nixos-default
  MENU LABEL NixOS - Default
  LINUX ../nixos/k-linux-6.18-Image
  INITRD ../nixos/i-initrd
  APPEND init=/nix/store/s-nixos-system-rk1-01-26.05/init loglevel=4 lsm=landlock,yama,bpf
  FDT ../nixos/t-dtbs/rockchip/rk3588-turing-rk1.dtb

LABEL nixos-1-default
  MENU LABEL NixOS - Configuration 1-default (2026-01-01 00:00 - 26.05)
  LINUX ../nixos/gone-Image
  APPEND init=/nix/store/gone/init
  FDTDIR ../nixos/t-dtbs
";
