# Settings of the services that call the node's own API server with kubectl: root without capabilities.
import ./sandbox.nix
// {
  CapabilityBoundingSet = "";
  # k3s's kubeconfig names the API server by its loopback address.
  IPAddressAllow = "localhost";
  IPAddressDeny = "any";
  # k3s's programs and their lock file are below this directory.
  ReadWritePaths = [ "-/var/lib/rancher" ];
  RestrictAddressFamilies = [
    "AF_INET"
    "AF_INET6"
    "AF_UNIX"
  ];
  SystemCallFilter = "@system-service";
}
