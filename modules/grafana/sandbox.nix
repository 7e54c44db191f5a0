# Settings of the service that creates the push token: root without capabilities, which reaches loopback and one directory.
import ../sandbox.nix
// {
  CapabilityBoundingSet = "";
  # It reads what a program on the network answers. Nothing of Kubernetes is its concern.
  InaccessiblePaths = [
    "-/etc/rancher"
    "-/var/lib/kubelet"
    "-/var/lib/rancher"
  ];
  IPAddressAllow = "localhost";
  IPAddressDeny = "any";
  RestrictAddressFamilies = [
    "AF_INET"
    "AF_INET6"
    "AF_UNIX"
  ];
  SystemCallFilter = "@system-service";
}
