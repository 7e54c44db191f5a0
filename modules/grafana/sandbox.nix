# What makes the push token: a root without capabilities that reaches loopback and one directory.
import ../sandbox.nix
// {
  CapabilityBoundingSet = "";
  IPAddressAllow = "localhost";
  IPAddressDeny = "any";
  RestrictAddressFamilies = [
    "AF_INET"
    "AF_INET6"
    "AF_UNIX"
  ];
  SystemCallFilter = "@system-service";
}
