# Restricts the move of the secrets to what it does: it mounts a partition and writes two folders.
import ../sandbox.nix
// {
  # mount(2)
  CapabilityBoundingSet = "CAP_SYS_ADMIN";
  DeviceAllow = "block-* rw";
  DevicePolicy = "closed";
  IPAddressDeny = "any";
  PrivateDevices = false;
  # No other unit sees the mount.
  PrivateMounts = true;
  PrivateNetwork = true;
  # Early in the boot, a private copy of /tmp has no place yet.
  PrivateTmp = false;
  RestrictAddressFamilies = "none";
  SystemCallErrorNumber = "EPERM";
  SystemCallFilter = [
    "@system-service"
    "@mount"
    "sync"
  ];
}
