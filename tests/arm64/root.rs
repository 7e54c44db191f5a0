//! The initial file system of a machine: Debian's programs, modules of the kernel, and a script that runs in it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A kernel that tests/arm64/build has unpacked.
pub(crate) struct Kernel {
    folder: PathBuf,
    /// Such as `6.18.15+deb13-cloud-arm64`.
    release: String,
}

impl Kernel {
    /// Returns the kernel of this version, such as `6.18`, if Debian has it.
    pub(crate) fn find(prepared: &Path, version: &str) -> Option<Self> {
        let folder = prepared.join("kernels").join(version);
        let image = fs::read_dir(folder.join("boot")).ok()?.filter_map(|entry| {
            entry.ok()?.file_name().to_str()?.strip_prefix("vmlinuz-").map(str::to_owned)
        });
        let release = image.last()?;
        Some(Self { folder, release })
    }

    pub(crate) fn release(&self) -> &str {
        &self.release
    }

    fn modules(&self) -> PathBuf {
        self.folder.join("lib/modules").join(&self.release)
    }
}

/// The files of an initial file system.
pub(crate) struct Root {
    folder: TempDir,
    kernel: PathBuf,
}

impl Root {
    /// Begins with a tree of programs, and with modules of the kernel, which `/init` loads in this order before it runs
    /// `script` with `/bin/sh`.
    pub(crate) fn new(kernel: &Kernel, programs: &Path, modules: &[&str], script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Self { folder, kernel: kernel.folder.join(format!("boot/vmlinuz-{}", kernel.release)) };
        root.tree(programs);
        let mut order = String::new();
        for (at, module) in with_dependencies(kernel, modules).iter().enumerate() {
            let name = format!("modules/{at:02}.ko");
            root.bytes(&name, &unpacked(module), 0o644);
            order.extend(["/", &name, "\n"]);
        }
        root.bytes("modules/order", order.as_bytes(), 0o644);
        root.bytes("script", script.as_bytes(), 0o755);
        root.bytes("init", include_bytes!("guest/init"), 0o755);
        root
    }

    /// Adds a folder's contents.
    pub(crate) fn tree(&self, from: &Path) {
        let copied = Command::new("cp").arg("-a").arg(from.join(".")).arg(self.folder.path()).status();
        assert!(copied.expect("cp").success(), "cannot copy {}", from.display());
    }

    /// Adds a file.
    pub(crate) fn file(&self, from: &Path, to: &str) {
        let bytes = fs::read(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        let mode = fs::metadata(from).expect("a file").permissions().mode();
        self.bytes(to.trim_start_matches('/'), &bytes, mode);
    }

    pub(crate) fn bytes(&self, to: &str, bytes: &[u8], mode: u32) {
        let path = self.folder.path().join(to);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, bytes).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
    }

    pub(crate) fn kernel(&self) -> &Path {
        &self.kernel
    }

    /// Packs the files into an archive that the kernel unpacks, in the folder `into`.
    pub(crate) fn pack(&self, into: &Path) -> PathBuf {
        let archive = into.join("initramfs");
        let packed = Command::new("sh")
            .args(["-c", "find . -print0 | cpio --quiet --null --create --format newc --owner 0:0"])
            .current_dir(self.folder.path())
            .stdout(fs::File::create(&archive).expect("a file"))
            .status();
        assert!(packed.expect("cpio").success(), "cannot pack the initial file system");
        archive
    }
}

/// Returns the files of the modules and of those that they depend on, in the order of loading. Modules that are built into
/// the kernel have no file.
fn with_dependencies(kernel: &Kernel, names: &[&str]) -> Vec<PathBuf> {
    let folder = kernel.modules();
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let name_of = |path: &str| {
        let file = path.rsplit('/').next().unwrap_or_default();
        file.split(".ko").next().unwrap_or_default().replace('-', "_")
    };
    let (built_in, dependencies) = (read("modules.builtin"), read("modules.dep"));
    let files: BTreeMap<String, (&str, &str)> = dependencies
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(file, others)| (name_of(file), (file, others)))
        .collect();
    let mut order = Vec::new();
    for name in names {
        let Some((file, others)) = files.get(*name) else {
            assert!(built_in.lines().any(|line| name_of(line) == *name), "{} has no {name}", kernel.release);
            continue;
        };
        // What a module depends on stands behind it, the first to load last.
        for file in others.split_whitespace().rev().chain([*file]) {
            let path = folder.join(file);
            if !order.contains(&path) {
                order.push(path);
            }
        }
    }
    order
}

/// Returns the bytes of a module, which Debian may have packed.
fn unpacked(module: &Path) -> Vec<u8> {
    if module.extension().is_none_or(|extension| extension != "xz") {
        return fs::read(module).expect("a module");
    }
    let output = Command::new("xz").args(["-dc"]).arg(module).stderr(Stdio::inherit()).output().expect("xz");
    assert!(output.status.success(), "cannot unpack {}", module.display());
    output.stdout
}
