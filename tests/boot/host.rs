//! The host that boots: what is built once for all scenarios.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::evaluation::Evaluation;
use crate::machine::{self, Hardware};
use crate::tree::{run, text};
use crate::{disk, initrd, tree};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// The programs that the tests call.
const PROGRAMS: [&str; 8] =
    [machine::QEMU, "nix-instantiate", "nix", "mke2fs", "resize2fs", "mkfs.vfat", "mcopy", "cpio"];
const NAME: &str = "rk1-01";
const MEBIBYTE: u64 = 1 << 20;

pub(crate) struct Host {
    pub(crate) evaluation: Evaluation,
    folder: TempDir,
    kernel: PathBuf,
}

impl Host {
    /// Builds everything, or returns why that is not possible here.
    pub(crate) fn prepare() -> Result<Self, String> {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = || env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
        let is_installed = |program: &&str| folders().any(|folder| folder.join(program).exists());
        if let Some(missing) = PROGRAMS.iter().find(|program| !is_installed(program)) {
            return Err(format!("`{missing}` is not installed"));
        }
        for part in ["nixpkgs/nixos", "nixpkgs/lib"] {
            let found = Command::new("nix-instantiate").args(["--find-file", part]).output();
            if !found.is_ok_and(|output| output.status.success()) {
                return Err(format!("<{part}> is not on Nix's search path"));
            }
        }
        let debian = prepared("tests/boot/build")?;
        let streamer = prepared("tests/arm64/build")?.join("tests/xdp-streamer");
        let kernel = debian.join("kernel");
        let evaluation = Evaluation::new(NAME)?;
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("root");
        tree::build(&root, &evaluation, &debian.join("root"), &streamer);
        initrd::pack(&evaluation, &debian.join("root"), &kernel, &folder.path().join("initrd"));
        disk::make(&evaluation, &root, folder.path());
        fs::remove_dir_all(&root).expect("a folder");
        Ok(Self { evaluation, folder, kernel: initrd::image(&kernel) })
    }

    /// Makes a new eMMC with the image, and files on its seed partition.
    pub(crate) fn emmc(&self, place: &Path, seed: &[(&str, &[u8])]) -> PathBuf {
        let emmc = place.join("emmc");
        let image = self.folder.path().join("emmc");
        run(Command::new("cp").arg("--sparse=always").arg(image).arg(&emmc));
        disk::seed(&self.evaluation, &emmc, seed);
        emmc
    }

    /// Returns what the machine is made of, without a data disk.
    pub(crate) fn hardware(&self, emmc: &Path, server: u16) -> Hardware {
        let host = &self.evaluation.host;
        let parameters = host["kernelParams"].as_array().expect("parameters");
        let mut arguments: Vec<String> = parameters.iter().map(|value| text(value).to_owned()).collect();
        arguments.push(format!("init={}/init", text(&host["toplevel"])));
        // The test reads the console when something fails.
        arguments
            .push("console=ttyAMA0 systemd.journald.forward_to_console=1 systemd.show_status=0".to_owned());
        Hardware {
            kernel: self.kernel.clone(),
            initrd: self.folder.path().join("initrd"),
            arguments: arguments.join(" "),
            emmc: emmc.to_owned(),
            nvme: None,
            server,
        }
    }
}

/// Makes a blank disk of 2 GiB.
pub(crate) fn blank_disk(place: &Path) -> PathBuf {
    let path = place.join("nvme");
    let file = fs::File::create(&path).expect("a file");
    file.set_len(2048 * MEBIBYTE).expect("a size");
    path
}

/// Returns the folder that a script has prepared, or why there is none.
fn prepared(script: &str) -> Result<PathBuf, String> {
    let output = Command::new(format!("{ROOT}/{script}")).arg("--if-prepared").output();
    let output = output.map_err(|error| format!("{script} cannot run: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(PathBuf::from(text(&output.stdout)));
    }
    let said = text(&output.stderr);
    match said.lines().last().and_then(|line| line.strip_prefix("error: ")) {
        Some(reason) if !said.contains("error[") => Err(reason.to_owned()),
        _ => panic!("{script} fails:\n{said}"),
    }
}
