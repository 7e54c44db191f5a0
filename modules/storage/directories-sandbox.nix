# Restricts the check of the data disk's directories: root with one folder.
import ../sandbox.nix
// {
  CapabilityBoundingSet = "CAP_DAC_OVERRIDE";
  PrivateNetwork = true;
  # As for rk1-storage.
  PrivateTmp = false;
  RestrictAddressFamilies = "none";
  SystemCallErrorNumber = "EPERM";
  SystemCallFilter = [
    "@system-service"
    "~@privileged @resources"
  ];
}
