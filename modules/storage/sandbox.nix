# Restricts the preparation of the data disk to what it does: it writes to a disk, to its link and to its record.
import ../sandbox.nix
// {
  # Mappings and the kernel's partition tables (CAP_SYS_ADMIN), their nodes in /dev (CAP_MKNOD), and locked memory for keys.
  CapabilityBoundingSet = [
    "CAP_IPC_LOCK"
    "CAP_MKNOD"
    "CAP_SYS_ADMIN"
  ];
  DeviceAllow = [
    "block-* rwm"
    "/dev/mapper/control rw"
  ];
  DevicePolicy = "closed";
  IPAddressDeny = "any";
  # A mapping creates a node in /dev.
  PrivateDevices = false;
  PrivateMounts = true;
  PrivateNetwork = true;
  # cryptsetup keeps its locks in /run.
  ReadOnlyPaths = "";
  RestrictAddressFamilies = [
    "AF_ALG"
    "AF_NETLINK"
    "AF_UNIX"
  ];
  # The links and the record. systemd creates both folders.
  RuntimeDirectory = "rk1";
  RuntimeDirectoryMode = "0755";
  RuntimeDirectoryPreserve = true;
  StateDirectory = "rk1/storage";
  StateDirectoryMode = "0700";
  # Early in the boot, a private copy of /tmp has no place yet.
  PrivateTmp = false;
  SystemCallErrorNumber = "EPERM";
  SystemCallFilter = [
    "@system-service"
    "@keyring"
    "mknod"
    "mknodat"
    "sync"
  ];
}
