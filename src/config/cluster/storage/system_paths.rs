//! The paths of the system that a data disk may and may not take. modules/storage/system-paths.nix has the same lists.

/// System directories, below which the disk cannot be mounted.
pub(super) const SYSTEM_TREES: [&str; 16] = [
    "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/nix", "/proc", "/root", "/run", "/sbin",
    "/sys", "/tmp", "/usr", "/var",
];
/// Directories below which the disk can be mounted, but not on themselves.
pub(super) const PARENTS: [&str; 3] = ["/mnt", "/opt", "/srv"];
/// Directories below which a path can be kept on the disk.
pub(super) const BIND_ROOTS: [&str; 5] = ["/opt", "/run", "/srv", "/var/lib", "/var/log"];
/// Paths below [`BIND_ROOTS`] that the system needs before the disk is mounted, or without it.
pub(super) const SYSTEM_STATE: [&str; 6] =
    ["/run/rk1", "/run/systemd", "/run/udev", "/var/lib/nixos", "/var/lib/rk1", "/var/lib/systemd"];
