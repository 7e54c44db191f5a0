# The paths of the system that the data disk may and may not take. src/config/cluster/storage.rs has the same lists.
{
  # The disk is not mounted inside these.
  systemTrees = [
    "/bin"
    "/boot"
    "/dev"
    "/etc"
    "/home"
    "/lib"
    "/lib64"
    "/nix"
    "/proc"
    "/root"
    "/run"
    "/sbin"
    "/sys"
    "/tmp"
    "/usr"
    "/var"
  ];

  # Directories below these can be on the disk.
  bindRoots = [
    "/opt"
    "/run"
    "/srv"
    "/var/lib"
    "/var/log"
  ];

  # Except for these, which the system needs before the disk is mounted or without it.
  systemState = [
    "/run/rk1"
    "/run/systemd"
    "/run/udev"
    "/var/lib/nixos"
    "/var/lib/rk1"
    "/var/lib/systemd"
  ];
}
