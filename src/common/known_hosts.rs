//! The host keys of a cluster's nodes, in a file of its own that ssh reads (the format is in sshd(8)).

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::common::atomic_file;

/// The name of the file, beside `cluster.toml`. It holds no secret.
pub(crate) const FILE_NAME: &str = "known_hosts";

/// The largest file that is read, in bytes: a thousand nodes have 200 kB.
const SIZE_LIMIT: u64 = 1 << 20;

const HEADER: &str = "# The host keys of the nodes, by `rk1 secrets --generate` and `rk1 flash`. No secrets: commit this file.\n";

/// A host and the public key that it is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownHost {
    /// Its names and addresses. The first one is its own and stays the same.
    pub(crate) names: Vec<String>,
    /// The type and the key, as OpenSSH writes them.
    pub(crate) key: String,
}

impl KnownHost {
    fn line(&self) -> String {
        format!("{} {}\n", self.names.join(","), self.key)
    }

    /// Returns whether a line of the file is about this host.
    fn owns(&self, line: &str) -> bool {
        let first = line.split([',', ' ']).next().unwrap_or_default();
        self.names.first().is_some_and(|name| name == first)
    }
}

/// Returns the path of the file if it exists, as ssh takes it from any folder.
pub(crate) fn existing(folder: &Path) -> Option<PathBuf> {
    std::path::absolute(folder.join(FILE_NAME)).ok().filter(|path| path.is_file())
}

/// Writes the lines of these hosts, and keeps all others. Returns whether the file has changed.
pub(crate) fn record(folder: &Path, hosts: &[KnownHost]) -> io::Result<bool> {
    let path = folder.join(FILE_NAME);
    let before = match File::open(&path) {
        Ok(file) => {
            let mut text = String::new();
            file.take(SIZE_LIMIT + 1).read_to_string(&mut text)?;
            if text.len() as u64 > SIZE_LIMIT {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is larger than 1 MiB"));
            }
            text
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => HEADER.to_owned(),
        Err(error) => return Err(error),
    };
    let after = with(&before, hosts);
    let has_changed = after != before;
    if has_changed {
        atomic_file::replace(&path, &after)?;
    }
    Ok(has_changed)
}

/// Returns a file with the lines of these hosts, each at its old place.
fn with(text: &str, hosts: &[KnownHost]) -> String {
    let mut after = String::new();
    let mut is_written = vec![false; hosts.len()];
    for line in text.lines() {
        match hosts.iter().zip(&mut is_written).find(|(host, _)| host.owns(line)) {
            Some((_, true)) => {}
            Some((host, is_written)) => {
                after.push_str(&host.line());
                *is_written = true;
            }
            None => {
                after.push_str(line);
                after.push('\n');
            }
        }
    }
    let missing = hosts.iter().zip(is_written).filter(|(_, is_written)| !is_written);
    missing.for_each(|(host, _)| after.push_str(&host.line()));
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str, address: &str, key: &str) -> KnownHost {
        KnownHost { names: vec![name.to_owned(), address.to_owned()], key: format!("ssh-ed25519 {key}") }
    }

    #[test]
    fn lines_of_other_hosts_are_kept() {
        let before = "# mine\na.example.org,10.0.0.1 ssh-ed25519 OLD\nrouter ssh-rsa AAAA\n\
                      a.example.org,10.0.0.9 ssh-ed25519 OLDER\n";
        let hosts = [host("a.example.org", "10.0.0.2", "NEW"), host("b.example.org", "10.0.0.3", "B")];
        assert_eq!(
            with(before, &hosts),
            "# mine\na.example.org,10.0.0.2 ssh-ed25519 NEW\nrouter ssh-rsa AAAA\nb.example.org,10.0.0.3 ssh-ed25519 B\n"
        );
    }

    #[test]
    fn a_file_is_written_once() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let hosts = [host("a.example.org", "10.0.0.2", "NEW")];
        assert_eq!(existing(folder.path()), None);
        assert!(record(folder.path(), &hosts).expect("written"));
        assert!(!record(folder.path(), &hosts).expect("unchanged"));
        let path = existing(folder.path()).expect("the file");
        let text = std::fs::read_to_string(path).expect("text");
        assert_eq!(text, format!("{HEADER}a.example.org,10.0.0.2 ssh-ed25519 NEW\n"));
    }
}
