//! Runs the script that the module ships, with the definitions that the module ships.

use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

const STORAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/modules/storage");

/// What the documents call the disk, whatever the loop device is.
pub const DISK: &str = "/dev/nvme0n1";

#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    /// The script's own lines, without their prefix, with `DISK` for the loop device.
    pub said: Vec<String>,
    /// Everything on standard error, for a failing test to show.
    pub stderr: String,
    /// Where the link for the mount points, if there is one.
    pub link: Option<PathBuf>,
}

impl Run {
    /// The last line that is not advice.
    pub fn verdict(&self) -> &str {
        self.said.iter().rfind(|line| !line.starts_with("hint: ")).map_or("", String::as_str)
    }

    /// The commands that the advice says erase the disk, if it does.
    pub fn erasing(&self) -> Option<&str> {
        let advice = self.said.iter().find_map(|line| line.split_once("erase it with `"))?;
        advice.1.split_once('`').map(|(commands, _)| commands)
    }
}

/// What a node has on its own disk when it prepares the data disk.
#[derive(Debug)]
pub struct Node {
    directory: TempDir,
    /// Whether the node is configured to encrypt its disk.
    encrypts: bool,
}

impl Node {
    /// A node that has neither a record nor a key.
    pub fn new(encrypts: bool) -> Self {
        Self { directory: TempDir::new().unwrap(), encrypts }
    }

    /// A node that encrypts with this key.
    pub fn with_key(key: &str) -> Self {
        let node = Self::new(true);
        fs::write(node.key(), key).unwrap();
        node
    }

    /// The same node's further disk of this name.
    pub fn further_disk(name: &str) -> Self {
        let node = Self::new(false);
        let shipped = fs::read_to_string(format!("{STORAGE}/repart.d/50-rk1-storage.conf")).unwrap();
        // As modules/storage.nix does it, which tests/modules/nix evaluates.
        let own = shipped.replace("Label=rk1-storage", &format!("Label=rk1-disk-{name}"));
        assert_ne!(shipped, own);
        fs::create_dir(node.own_definitions()).unwrap();
        fs::write(node.own_definitions().join("50-rk1-storage.conf"), own).unwrap();
        node
    }

    fn own_definitions(&self) -> PathBuf {
        self.directory.path().join("repart.d")
    }

    fn definitions(&self) -> PathBuf {
        Some(self.own_definitions())
            .filter(|own| own.exists())
            .unwrap_or_else(|| format!("{STORAGE}/repart.d").into())
    }

    pub fn record(&self) -> PathBuf {
        self.directory.path().join("storage/disk")
    }

    pub fn key(&self) -> PathBuf {
        self.directory.path().join("key")
    }
}

/// Prepares `device` on a node that does not encrypt; `tools` comes before PATH, to let a test stand in for a tool.
pub fn prepare(device: &Path, tools: Option<&Path>) -> Run {
    prepare_on(&Node::new(false), device, tools)
}

pub fn prepare_on(node: &Node, device: &Path, tools: Option<&Path>) -> Run {
    let directory = TempDir::new().unwrap();
    let link = directory.path().join("rk1/storage");
    let mut path = std::env::var_os("PATH").unwrap();
    if let Some(tools) = tools {
        path =
            std::env::join_paths([tools.to_owned()].into_iter().chain(std::env::split_paths(&path))).unwrap();
    }
    let output = Command::new("bash")
        .arg(format!("{STORAGE}/prepare-disk.sh"))
        .arg(device)
        .arg(node.definitions())
        .arg(&link)
        .arg(node.record())
        .args(node.encrypts.then(|| node.key()))
        .env("PATH", path)
        .env("RK1_STORAGE_WAIT", "2")
        .stdin(Stdio::null())
        // So that a stand-in can kill everything that the script runs.
        .process_group(0)
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let real = fs::canonicalize(device).unwrap_or_else(|_| device.to_owned());
    let said = stderr.lines().filter_map(|line| line.strip_prefix("rk1-storage: "));
    let said = said
        .map(|line| line.replace(&*real.to_string_lossy(), DISK).replace(&*device.to_string_lossy(), DISK))
        .map(|line| line.replace(&*node.directory.path().to_string_lossy(), "/var/lib/rk1"));
    Run {
        code: output.status.code(),
        signal: output.status.signal(),
        said: said.collect(),
        link: fs::read_link(&link).ok(),
        stderr,
    }
}

/// Uses the filesystem with a UUID. `devices` are called /dev/sda, /dev/sdb and so on, and `system` is a directory on the
/// system's disk.
pub fn use_filesystem(uuid: &str, devices: &[PathBuf], system: Option<&Path>) -> Run {
    let directory = TempDir::new().unwrap();
    let target = directory.path().join("rk1/disk-archive");
    let output = Command::new("bash")
        .arg(format!("{STORAGE}/use-filesystem.sh"))
        .arg(uuid)
        .arg(&target)
        .env("RK1_STORAGE_WAIT", "1")
        .envs(system.map(|system| ("RK1_STORAGE_SYSTEM", system)))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let named = |line: &str| {
        let names = devices.iter().zip(["/dev/sda", "/dev/sdb"]);
        let line = names.fold(line.to_owned(), |line, (device, name)| {
            let device = device.to_string_lossy();
            line.replace(&format!("{device}p1"), &format!("{name}1")).replace(&*device, name)
        });
        line.replace(uuid, "UUID")
    };
    Run {
        code: output.status.code(),
        signal: output.status.signal(),
        said: stderr.lines().filter_map(|line| line.strip_prefix("rk1-storage: ")).map(named).collect(),
        link: fs::read_link(&target).ok(),
        stderr,
    }
}

#[test]
fn shellcheck_finds_nothing() {
    if !crate::tool::is_installed("shellcheck") {
        return crate::requirement::skipped("storage: shellcheck", "`shellcheck` is not installed");
    }
    for script in ["prepare-disk.sh", "use-filesystem.sh"] {
        crate::tool::output("shellcheck", ["--external-sources", &format!("{STORAGE}/{script}")]);
    }
}
