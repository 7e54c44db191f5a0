//! An open ext4 filesystem, read within bounds.

use ext4_view::Ext4;

/// The number of symlinks in a path (Linux: `MAXSYMLINKS`).
const LINK_LIMIT: usize = 40;
/// The length of a symlink's target (Linux: `PATH_MAX`).
const TARGET_LIMIT: u64 = 4096;

/// An open filesystem.
pub(super) struct Volume(pub(super) Ext4);

impl Volume {
    /// Returns whether a path leads to something.
    pub(super) fn exists(&self, path: &str) -> bool {
        self.resolve(path).is_some()
    }

    /// Reads a file, unless it is larger than `limit`.
    pub(super) fn contents(&self, path: &str, limit: u64) -> Option<Vec<u8>> {
        let path = self.resolve(path)?;
        let metadata = self.0.metadata(path.as_str()).ok()?;
        (metadata.file_type().is_regular_file() && metadata.len() <= limit).then_some(())?;
        self.0.read(path.as_str()).ok()
    }

    /// Reads the first bytes of a file. Fewer than asked for are left zero.
    pub(super) fn head<const LENGTH: usize>(&self, path: &str) -> Option<[u8; LENGTH]> {
        let path = self.resolve(path)?;
        let mut file = self.0.open(path.as_str()).ok()?;
        let mut head = [0; LENGTH];
        let mut read = 0;
        while let Some(rest) = head.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match file.read_bytes(rest) {
                Ok(0) => break,
                Ok(count) => read += count,
                Err(_) => return None,
            }
        }
        Some(head)
    }

    /// Returns the path without symlinks, or `None` if it leads nowhere. The crate would read a symlink of any size.
    fn resolve(&self, path: &str) -> Option<String> {
        let mut resolved = String::new();
        let mut rest: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut links = 0;
        while let Some(component) = rest.pop() {
            match component.as_str() {
                "" | "." => continue,
                ".." => {
                    resolved.truncate(resolved.rfind('/').unwrap_or_default());
                    continue;
                }
                _ => {}
            }
            let next = format!("{resolved}/{component}");
            let metadata = self.0.symlink_metadata(next.as_str()).ok()?;
            if !metadata.file_type().is_symlink() {
                resolved = next;
                continue;
            }
            links += 1;
            if links > LINK_LIMIT || metadata.len() > TARGET_LIMIT {
                return None;
            }
            let target = self.0.read_link(next.as_str()).ok()?;
            let target = target.to_str().ok()?;
            if target.starts_with('/') {
                resolved.clear();
            }
            rest.extend(target.split('/').rev().map(str::to_owned));
        }
        Some(if resolved.is_empty() { "/".to_owned() } else { resolved })
    }
}
