# Which paths of the system the data disk may take, and which not. src/config/cluster/storage.rs says the same.
{
  # Trees of the system, in which the disk is not mounted.
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

  # Where directories can live on the disk.
  bindRoots = [
    "/opt"
    "/run"
    "/srv"
    "/var/lib"
    "/var/log"
  ];

  # Below those, what the system needs before the disk is there, or without it.
  systemState = [
    "/run/rk1"
    "/run/systemd"
    "/run/udev"
    "/var/lib/nixos"
    "/var/lib/rk1"
    "/var/lib/systemd"
  ];
}
