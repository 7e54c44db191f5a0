# Restricts a service that only tells systemd what to start: a socket of the machine, and nothing else.
import ./sandbox.nix
// {
  CapabilityBoundingSet = "";
  IPAddressDeny = "any";
  PrivateNetwork = true;
  RestrictAddressFamilies = "AF_UNIX";
  SystemCallErrorNumber = "EPERM";
  SystemCallFilter = [
    "@system-service"
    "~@privileged @resources"
  ];
}
