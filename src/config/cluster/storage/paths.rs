//! The paths that a data disk may take: mount points, and the directories that are kept on it.

use super::mistake::StorageMistake;
use super::system_paths::{BIND_ROOTS, PARENTS, SYSTEM_STATE, SYSTEM_TREES};

pub(super) fn parse_mount(path: &str) -> Result<String, StorageMistake> {
    let path = path.to_owned();
    if path == "/" {
        Err(StorageMistake::SystemPath { path })
    } else if !is_plain_path(&path) {
        Err(StorageMistake::NotAPath { path })
    } else if PARENTS.contains(&path.as_str()) || SYSTEM_TREES.iter().any(|tree| is_at(&path, tree)) {
        Err(StorageMistake::SystemPath { path })
    } else {
        Ok(path)
    }
}

pub(super) fn parse_bind(path: &str) -> Result<String, StorageMistake> {
    let path = path.to_owned();
    let is_below_root = BIND_ROOTS.iter().any(|root| is_below(&path, root));
    let is_state = SYSTEM_STATE.iter().any(|state| is_at(&path, state) || is_below(state, &path));
    if !is_plain_path(&path) {
        Err(StorageMistake::NotAPath { path })
    } else if !is_below_root || is_state {
        Err(StorageMistake::Unbindable { path })
    } else {
        Ok(path)
    }
}

/// Returns whether it is an absolute path that needs no quoting in the name of a unit or in fstab.
fn is_plain_path(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_plain_name))
}

pub(super) fn is_plain_name(name: &str) -> bool {
    is_device_name(name) && !name.contains(['+', ':', '@'])
}

/// Returns whether it is a name below /dev, as in `/dev/disk/by-id/nvme-eui.0025385b71b0c2a1`.
pub(super) fn is_device_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+:@".contains(&byte);
    !name.is_empty() && !name.starts_with('.') && name.bytes().all(is_allowed)
}

fn is_at(path: &str, tree: &str) -> bool {
    path == tree || is_below(path, tree)
}

pub(super) fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

/// Returns whether one of the paths is the other one, or in it.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    is_at(one, other) || is_below(other, one)
}
