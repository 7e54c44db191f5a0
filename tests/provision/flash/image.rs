//! Images that `images/assemble.sh` makes of stand-ins for a loader and a system.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use rk1::config::cluster::Label;
use rk1::config::modules::ROCKCHIP;
use rk1::provision::image::{Identity, layout};
use tempfile::TempDir;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// The size of the root filesystem in bytes.
pub(crate) const ROOT_SIZE: u64 = 4 << 20;
/// The size of an image in bytes.
pub(crate) const SIZE: u64 = layout::ROOT_OFFSET + ROOT_SIZE;

/// The programs that make an image.
pub(crate) const PROGRAMS: [&str; 6] = ["bash", "mkfs.ext4", "mkfs.vfat", "sfdisk", "unshare", "xz"];

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("it runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Returns a folder like Nix's `result` with the images of two hosts. It is made once.
pub(crate) fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("flash-images");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        for host in ["rk1-01", "rk1-02"] {
            let made = assemble("turing-pi", host);
            let name = format!("{host}.img.xz");
            fs::copy(made.path().join("out").join(&name), folder.join(name)).expect("the image");
        }
        folder
    })
}

/// Makes a folder with `HOST.img` and `out/HOST.img.xz`.
pub(crate) fn assemble(cluster: &str, host: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    let label = |name| Label::parse(name).expect("a name");
    let identity = Identity::of(&label(cluster), &label(host));
    let path = |name: &str| folder.path().join(name);

    let loader = [ROCKCHIP.magic.as_slice(), &[0x5a; 4096]].concat();
    fs::write(path("loader"), loader).expect("the loader");
    system(&path("tree"), host);
    let mut mkfs = Command::new("mkfs.ext4");
    mkfs.args(["-q", "-U", &identity.root_uuid, "-L", &identity.root_label, "-d"]);
    run(mkfs.args([path("tree"), path("root")]).arg(format!("{}k", ROOT_SIZE / 1024)));

    let mut assemble = Command::new("bash");
    assemble.args(["-o", "errexit", "-o", "nounset", "-o", "pipefail"]);
    assemble.arg(Path::new(ROOT).join("images/assemble.sh")).current_dir(folder.path());
    assemble.envs([("LOADER", path("loader")), ("ROOT", path("root")), ("out", path("out"))]);
    assemble.envs([("IMAGE_NAME", host), ("SEED_LABEL", layout::SEED_LABEL), ("NIX_BUILD_CORES", "1")]);
    assemble.env("DISK_ID", format!("{:08x}", identity.disk_id));
    assemble.env("SEED_ID", format!("{:08x}", identity.seed_id));
    for (name, bytes) in [
        ("SECTOR_SIZE", layout::SECTOR_SIZE),
        ("BLOCK_SIZE", layout::BLOCK_SIZE),
        ("LOADER_OFFSET", layout::LOADER_OFFSET),
        ("LOADER_LIMIT", layout::LOADER_LIMIT),
        ("SEED_OFFSET", layout::SEED_OFFSET),
        ("SEED_SIZE", layout::SEED_SIZE),
        ("ROOT_OFFSET", layout::ROOT_OFFSET),
    ] {
        assemble.env(name, bytes.to_string());
    }
    run(&mut assemble);
    folder
}

/// Writes the files that U-Boot searches, with a kernel and a device tree that begin as real ones do.
fn system(tree: &Path, host: &str) {
    let store = format!("nix/store/0000-nixos-system-{host}-26.05");
    for folder in ["boot/extlinux", "boot/nixos", &format!("{store}/etc")] {
        fs::create_dir_all(tree.join(folder)).expect("a folder");
    }
    let configuration = format!(
        "DEFAULT nixos-default\nLABEL nixos-default\n  MENU LABEL NixOS - Default\n  LINUX ../nixos/Image\n  \
         INITRD ../nixos/initrd\n  APPEND init=/{store}/init\n  FDT ../nixos/rk1.dtb\n"
    );
    fs::write(tree.join("boot/extlinux/extlinux.conf"), configuration).expect("the configuration");
    let kernel = [[0; 56].as_slice(), b"ARM\x64", &[0; 4]].concat();
    fs::write(tree.join("boot/nixos/Image"), kernel).expect("a kernel");
    fs::write(tree.join("boot/nixos/initrd"), "initrd").expect("an initrd");
    let device_tree = [[0xd0, 0x0d, 0xfe, 0xed].as_slice(), b"turing,rk1\0rockchip,rk3588\0"].concat();
    fs::write(tree.join("boot/nixos/rk1.dtb"), device_tree).expect("a device tree");
    fs::write(tree.join(&store).join("etc/hostname"), host).expect("a name");
}
