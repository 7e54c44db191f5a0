//! Runs the script that takes a node's secrets from its seed partition, on a real filesystem on a loop device: FAT, as
//! the image has it, or ext4 where the kernel has no FAT.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test, also in what tests share")]

mod requirement;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/modules/node-secrets.sh");

/// A node's two sides: the seed partition and the directory that its secrets move to.
struct Node {
    directory: tempfile::TempDir,
    device: String,
}

impl Node {
    /// Nothing, and one line on standard error, where the machine cannot do this.
    fn new(test: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let image = directory.path().join("seed.img");
        std::fs::File::create(&image).unwrap().set_len(16 << 20).unwrap();
        let known = std::fs::read_to_string("/proc/filesystems").unwrap();
        let mkfs = if known.contains("\tvfat") { "mkfs.vfat" } else { "mkfs.ext4" };
        if let Err(error) = run(mkfs, &[image.to_str().unwrap()]) {
            requirement::skipped(test, &format!("{mkfs} failed (Debian: dosfstools, e2fsprogs): {error}"));
            return None;
        }
        let device = match run("losetup", &["--find", "--show", image.to_str().unwrap()]) {
            Ok(output) => output.trim().to_owned(),
            Err(error) => {
                requirement::skipped(test, &format!("no loop device can be had: {error}"));
                return None;
            }
        };
        let node = Self { directory, device };
        for name in ["seed", "run"] {
            std::fs::create_dir(node.path(name)).unwrap();
        }
        if let Err(error) = node.on_seed(|seed| std::fs::create_dir(seed.join("secrets")).unwrap()) {
            requirement::skipped(test, &format!("nothing can be mounted: {error}"));
            return None;
        }
        Some(node)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What the operator's machine does to the partition.
    fn on_seed<T>(&self, act: impl FnOnce(&Path) -> T) -> Result<T, String> {
        let seed = self.path("seed");
        run("mount", &[&self.device, seed.to_str().unwrap()])?;
        let result = act(&seed);
        run("umount", &[seed.to_str().unwrap()])?;
        Ok(result)
    }

    fn bring(&self, name: &str, secret: &str) {
        self.on_seed(|seed| std::fs::write(seed.join("secrets").join(name), secret).unwrap()).unwrap();
    }

    fn left_on_seed(&self) -> Vec<PathBuf> {
        let list = |seed: &Path| {
            std::fs::read_dir(seed.join("secrets")).unwrap().map(|entry| entry.unwrap().path()).collect()
        };
        self.on_seed(list).unwrap()
    }

    fn take(&self, device: &str) -> Output {
        Command::new("bash")
            .arg(SCRIPT)
            .env("SEED_DEVICE", device)
            .env("SECRETS", self.path("secrets"))
            .env("RUNTIME_DIRECTORY", self.path("run"))
            .output()
            .unwrap()
    }

    /// Each secret on the node with its mode.
    fn secrets(&self) -> BTreeMap<String, (u32, String)> {
        std::fs::read_dir(self.path("secrets"))
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                let mode = path.metadata().unwrap().permissions().mode() & 0o7777;
                let text = std::fs::read_to_string(&path).unwrap();
                (path.file_name().unwrap().to_string_lossy().into_owned(), (mode, text))
            })
            .collect()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        for name in ["seed", "run"] {
            let _ = run("umount", &[self.path(name).to_str().unwrap_or_default()]);
        }
        let _ = run("losetup", &["--detach", &self.device]);
    }
}

fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(arguments).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

#[track_caller]
fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn secret(text: &str) -> (u32, String) {
    (0o600, text.to_owned())
}

#[test]
fn secrets_move_from_the_seed_to_the_node() {
    let Some(node) = Node::new("secrets_move_from_the_seed_to_the_node") else { return };
    node.bring("k3s-token", "first");
    node.bring("grafana-token", "other");
    succeeds(&node.take(&node.device));

    let both = BTreeMap::from([
        ("grafana-token".to_owned(), secret("other")),
        ("k3s-token".to_owned(), secret("first")),
    ]);
    assert_eq!(node.secrets(), both);
    let directory = node.path("secrets").metadata().unwrap();
    assert_eq!(directory.permissions().mode() & 0o7777, 0o700);
    assert_eq!(node.left_on_seed(), Vec::<PathBuf>::new());

    // At the next boot there is nothing to take.
    succeeds(&node.take(&node.device));
    assert_eq!(node.secrets(), both);
}

#[test]
fn a_new_secret_takes_the_place_of_the_old_one() {
    let Some(node) = Node::new("a_new_secret_takes_the_place_of_the_old_one") else { return };
    node.bring("k3s-token", "first");
    succeeds(&node.take(&node.device));
    node.bring("k3s-token", "second");
    succeeds(&node.take(&node.device));
    assert_eq!(node.secrets(), BTreeMap::from([("k3s-token".to_owned(), secret("second"))]));
}

#[test]
fn no_bytes_of_a_secret_stay_on_the_seed() {
    let Some(node) = Node::new("no_bytes_of_a_secret_stay_on_the_seed") else { return };
    let bytes = "correct horse battery staple";
    node.bring("k3s-token", bytes);
    let has_bytes = || {
        let image = std::fs::read(node.path("seed.img")).unwrap();
        image.windows(bytes.len()).any(|window| window == bytes.as_bytes())
    };
    assert!(has_bytes());
    succeeds(&node.take(&node.device));
    run("sync", &["--file-system", &node.device]).unwrap();
    assert!(!has_bytes());
}

#[test]
fn without_a_seed_the_secrets_stay() {
    let Some(node) = Node::new("without_a_seed_the_secrets_stay") else { return };
    node.bring("k3s-token", "first");
    succeeds(&node.take(&node.device));

    let output = node.take("/dev/disk/by-partuuid/00000000-01");
    succeeds(&output);
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "no seed partition at /dev/disk/by-partuuid/00000000-01: keeping the secrets that are here\n"
    );
    assert_eq!(node.secrets(), BTreeMap::from([("k3s-token".to_owned(), secret("first"))]));
}
