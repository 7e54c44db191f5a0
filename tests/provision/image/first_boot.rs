//! The first boot: a real FAT on a loop device, a real root filesystem, and the script of the module.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rk1::provision::image::layout::{ROOT_OFFSET, SEED_OFFSET, SEED_SIZE};
use tempfile::TempDir;

use crate::cluster::{SECRETS, host_key, partition};
use crate::composed::{Composed, HOST};
use crate::disk::{Loop, Mount, bytes_behind, programs, unmount};
use crate::program::{lacks, run};
use crate::requirement;

pub(crate) const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/modules/node-secrets.sh");
const ROOT_SIZE: u64 = 16 << 20;

/// The two filesystems of a node. Its fields are dropped from top to bottom.
pub(crate) struct Node {
    _root: Mount,
    _root_device: Loop,
    pub(crate) seed_device: Loop,
    pub(crate) directory: TempDir,
}

impl Node {
    /// Uses the bytes of a seed partition and of a root filesystem. Returns `None` if the machine cannot do this, which is
    /// reported.
    pub(crate) fn new(test: &str, seed: &[u8], root: &[u8]) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        for (name, bytes) in [("seed.img", seed), ("root.img", root)] {
            fs::write(directory.path().join(name), bytes).unwrap();
        }
        let seed = (directory.path().join("seed.img"), 0, seed.len() as u64);
        let root = (directory.path().join("root.img"), 0, root.len() as u64);
        Self::on(test, directory, &seed, &root)
    }

    /// Uses parts of files, each with its offset and length.
    fn on(
        test: &str,
        directory: TempDir,
        seed: &(PathBuf, u64, u64),
        root: &(PathBuf, u64, u64),
    ) -> Option<Self> {
        for name in ["run", "root"] {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        let made = || {
            let seed_device = Loop::new(&seed.0, seed.1, seed.2)?;
            let root_device = Loop::new(&root.0, root.1, root.2)?;
            drop(Mount::fat(&seed_device, &directory.path().join("run"))?);
            let mount = Mount::new(&root_device, &directory.path().join("root"))?;
            Ok::<_, String>((seed_device, root_device, mount))
        };
        match made() {
            Ok((seed_device, root_device, root)) => {
                Some(Self { _root: root, _root_device: root_device, seed_device, directory })
            }
            Err(error) => {
                requirement::skipped(test, &format!("a FAT or an ext4 cannot be mounted here: {error}"));
                None
            }
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Prepares the script as the unit of [`HOST`] calls it.
    pub(crate) fn script(&self) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut script = Command::new("bash");
        script
            .arg(SCRIPT)
            .env("PATH", format!("{}:{path}", programs().display()))
            .env("SEED_DEVICE", &self.seed_device.0)
            .env("SECRETS", self.path("root/var/lib/rk1/secrets"))
            .env("SSH_KEYS", self.path("root/etc/ssh"))
            .env("RUNTIME_DIRECTORY", self.path("run"))
            .env("CLUSTER", "turing-pi")
            .env("NODE", HOST);
        script
    }

    pub(crate) fn boot(&self) -> Output {
        self.script().output().unwrap()
    }

    /// Changes the seed partition as the operator's machine would.
    fn on_seed<T>(&self, act: impl FnOnce(&Path) -> T) -> T {
        let place = self.path("run");
        let mount = Mount::fat(&self.seed_device, &place).unwrap();
        let result = act(&place);
        drop(mount);
        result
    }

    /// Returns every file of the root filesystem with its mode.
    pub(crate) fn files(&self) -> BTreeMap<String, (u32, String)> {
        let root = self.path("root");
        let mut found = BTreeMap::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let metadata = path.symlink_metadata().unwrap();
                if metadata.is_dir() {
                    folders.push(path);
                    continue;
                }
                // The links of Nix lead out of the folder.
                if metadata.is_symlink() {
                    continue;
                }
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                let mode = metadata.permissions().mode() & 0o7777;
                found.insert(name, (mode, String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()));
            }
        }
        found
    }

    /// Returns the bytes that both disks would have after a power loss now.
    pub(crate) fn unplugged(&self) -> (Vec<u8>, Vec<u8>) {
        (fs::read(self.path("seed.img")).unwrap(), fs::read(self.path("root.img")).unwrap())
    }

    /// Checks that every secret of [`HOST`] is complete, in its place and nowhere else, and that another boot changes nothing.
    #[track_caller]
    pub(crate) fn is_ready(&self, when: &str) {
        assert_eq!(self.files(), expected(), "{when}");
        let directory = self.path("root/var/lib/rk1/secrets").metadata().unwrap();
        assert_eq!(directory.permissions().mode() & 0o7777, 0o700, "{when}");
        assert_eq!(self.left_on_seed(), Vec::<String>::new(), "{when}");
        assert!(!holds_secret(&bytes_behind(&self.seed_device)), "{when}: a secret's bytes are on the seed");
    }

    fn left_on_seed(&self) -> Vec<String> {
        self.on_seed(|seed| {
            let names = fs::read_dir(seed).unwrap().map(|entry| entry.unwrap().file_name());
            let names = names.map(|name| name.to_string_lossy().into_owned());
            // `fusefat` shows the label of the volume as a file.
            names.filter(|name| name != "RK1-SEED").collect()
        })
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        unmount(&self.path("run"));
    }
}

/// Returns the files of the node after its first boot.
fn expected() -> BTreeMap<String, (u32, String)> {
    let taken = ["azure-dns", "bgp-password", "grafana-token", "k3s-agent-token", "k3s-token"];
    let secrets = SECRETS.iter().filter(|(name, _)| taken.contains(name));
    let mut expected: BTreeMap<_, _> = secrets
        .map(|(name, secret)| (format!("var/lib/rk1/secrets/{name}"), (0o600, (*secret).to_owned())))
        .collect();
    expected.insert("etc/ssh/ssh_host_ed25519_key".to_owned(), (0o600, host_key()));
    expected
}

pub(crate) fn holds_secret(bytes: &[u8]) -> bool {
    let canary = b"canary-";
    let key = host_key();
    let digits = &key.lines().nth(1).unwrap().as_bytes()[..40];
    // Most of a disk is blank. The rest is searched together with a little of what follows.
    let (blank, piece) = ([0; 4096], 4096);
    (0..bytes.len()).step_by(piece).any(|from| {
        let until = (from + piece).min(bytes.len());
        if bytes[from..until] == blank[..until - from] {
            return false;
        }
        let part = &bytes[from..(until + digits.len()).min(bytes.len())];
        part.windows(canary.len()).any(|window| window == canary)
            || part.windows(digits.len()).any(|window| window == digits)
    })
}

pub(crate) fn tools_are_missing(test: &str) -> bool {
    lacks(test, &["bash", "losetup", "mkfs.ext4", "mount", "shred", "umount"])
}

/// Makes a root filesystem that has never booted.
pub(crate) fn empty_root() -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(ROOT_SIZE).unwrap();
    run("mkfs.ext4", &["-q", file.path().to_str().unwrap()]);
    // The only folder of a new filesystem.
    run("debugfs", &["-w", "-R", "rmdir lost+found", file.path().to_str().unwrap()]);
    fs::read(file.path()).unwrap()
}

fn seeded(test: &str, name: &str) -> Option<Node> {
    if tools_are_missing(test) {
        return None;
    }
    Node::new(test, partition(name).bytes(), &empty_root())
}

#[track_caller]
pub(crate) fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn secrets_move_from_the_image_to_the_node() {
    let test = "secrets_move_from_the_image_to_the_node";
    let Some(image) = Composed::new(test) else { return };
    if tools_are_missing(test) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let disk = directory.path().join("emmc.img");
    let bytes = image.seeded(HOST);
    let root_size = bytes.len() as u64 - ROOT_OFFSET;
    fs::write(&disk, bytes).unwrap();
    let Some(node) =
        Node::on(test, directory, &(disk.clone(), SEED_OFFSET, SEED_SIZE), &(disk, ROOT_OFFSET, root_size))
    else {
        return;
    };
    succeeds(&node.boot());
    let files = node.files();
    for (name, file) in expected() {
        assert_eq!(files.get(&name), Some(&file), "{name}");
    }
    assert_eq!(node.left_on_seed(), Vec::<String>::new());
    assert!(!holds_secret(&bytes_behind(&node.seed_device)));
}

#[test]
fn a_boot_without_a_seed_changes_nothing() {
    let Some(node) = seeded("a_boot_without_a_seed_changes_nothing", HOST) else { return };
    succeeds(&node.boot());
    node.is_ready("after the first boot");
    let seed = bytes_behind(&node.seed_device);
    let output = node.boot();
    succeeds(&output);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    node.is_ready("after the second boot");
    assert_eq!(seed.len(), bytes_behind(&node.seed_device).len());
}

#[test]
fn new_secrets_replace_the_old_ones() {
    let Some(node) = seeded("new_secrets_replace_the_old_ones", HOST) else { return };
    fs::create_dir_all(node.path("root/var/lib/rk1/secrets")).unwrap();
    fs::create_dir_all(node.path("root/etc/ssh")).unwrap();
    fs::write(node.path("root/var/lib/rk1/secrets/k3s-token"), "old").unwrap();
    // A part of a secret, and the public key of another key pair.
    fs::write(node.path("root/var/lib/rk1/secrets/.k3s-token.new"), "ol").unwrap();
    fs::write(node.path("root/etc/ssh/ssh_host_ed25519_key.pub"), "old").unwrap();
    succeeds(&node.boot());
    node.is_ready("after a new seed");
}

#[test]
fn the_seed_of_another_node_is_refused_and_stays() {
    let Some(node) = seeded("the_seed_of_another_node_is_refused_and_stays", "rk1-02") else { return };
    let before = node.left_on_seed();
    let output = node.boot();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: the seed is for 'turing-pi/rk1-02', and this node is 'turing-pi/rk1-01': nothing was moved\n\
         hint: flash this node with its own image, as `rk1 flash rk1-01` does\n"
    );
    assert!(node.files().is_empty(), "{:?}", node.files());
    assert_eq!(node.left_on_seed(), before);
}

#[test]
fn the_seed_of_another_cluster_is_refused() {
    let Some(node) = seeded("the_seed_of_another_cluster_is_refused", HOST) else { return };
    let output = node.script().env("CLUSTER", "other").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(node.files().is_empty(), "{:?}", node.files());
}

#[test]
fn a_seed_without_an_owner_is_neither_used_nor_erased() {
    let Some(node) = seeded("a_seed_without_an_owner_is_neither_used_nor_erased", HOST) else { return };
    node.on_seed(|seed| fs::remove_file(seed.join("HOST")).unwrap());
    let before = node.left_on_seed();
    let output = node.boot();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: the seed does not say which node it is for: nothing was moved\n"
    );
    assert!(node.files().is_empty(), "{:?}", node.files());
    assert_eq!(node.left_on_seed(), before);
}

#[test]
fn without_a_seed_the_secrets_stay() {
    let Some(node) = seeded("without_a_seed_the_secrets_stay", HOST) else { return };
    succeeds(&node.boot());
    let nowhere = "/dev/disk/by-partuuid/00000000-01";
    let output = node.script().env("SEED_DEVICE", nowhere).output().unwrap();
    succeeds(&output);
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        format!("no seed partition at {nowhere}: keeping the secrets that the node has\n")
    );
    node.is_ready("without a seed");
}

#[test]
fn an_unreadable_partition_stops_only_the_first_boot() {
    let test = "an_unreadable_partition_stops_only_the_first_boot";
    let Some(node) = seeded(test, HOST) else { return };
    let blank = tempfile::NamedTempFile::new().unwrap();
    blank.as_file().set_len(SEED_SIZE).unwrap();
    let blank = Loop::new(blank.path(), 0, SEED_SIZE).unwrap();
    // Every mount fails.
    let folder = tempfile::tempdir().unwrap();
    crate::disk::write_program(&folder.path().join("mount"), "#!/bin/sh\nexit 32\n");
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let boot = || node.script().env("SEED_DEVICE", &blank.0).env("PATH", &path).output().unwrap();
    assert_eq!(boot().status.code(), Some(1));
    succeeds(&node.boot());
    succeeds(&boot());
    node.is_ready("beside a partition that cannot be read");
}

/// A partition that somebody else has written may hold anything.
#[test]
fn only_regular_files_of_a_seed_are_moved() {
    let test = "only_regular_files_of_a_seed_are_moved";
    let Some(node) = seeded(test, HOST) else { return };
    let planted = tempfile::tempdir().unwrap();
    let victim = planted.path().join("victim");
    fs::write(&victim, "untouched").unwrap();
    let seed = planted.path().join("seed");
    fs::create_dir(&seed).unwrap();
    fs::write(seed.join("HOST"), format!("turing-pi/{HOST}\n")).unwrap();
    fs::write(seed.join("secret.k3s-token"), "token").unwrap();
    for name in ["secret.", "secret..", "secret...", "secret.-x"] {
        fs::write(seed.join(name), "nameless").unwrap();
    }
    std::os::unix::fs::symlink(&victim, seed.join("secret.grafana-token")).unwrap();
    std::os::unix::fs::symlink(&victim, seed.join("ssh_host_rsa_key")).unwrap();
    fs::create_dir(seed.join("secret.folder")).unwrap();
    run("mkfifo", &[seed.join("secret.pipe").to_str().unwrap()]);

    // Mounts the planted folder, whatever is asked for.
    let folder = tempfile::tempdir().unwrap();
    let mount = format!("#!/bin/sh\nexec /bin/mount --bind '{}' \"$6\"\n", seed.display());
    crate::disk::write_program(&folder.path().join("mount"), &mount);
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let output = node.script().env("PATH", path).output().unwrap();
    succeeds(&output);
    let told = String::from_utf8(output.stderr).unwrap();
    // Names are quoted, as the shell would take them.
    let quoted = |line| str::split(line, '\'').nth(1).unwrap();
    let ignored: Vec<&str> = told.lines().map(|line| quoted(line).rsplit('/').next().unwrap()).collect();
    assert_eq!(ignored, ["secret.folder", "secret.grafana-token", "secret.pipe", "ssh_host_rsa_key"]);
    let token = ("var/lib/rk1/secrets/k3s-token".to_owned(), (0o600, "token".to_owned()));
    assert_eq!(node.files(), BTreeMap::from([token]));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
}
