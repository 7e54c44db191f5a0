{
  callPackage,
  revision ? null,
}:
callPackage ./program.nix {
  inherit revision;
  name = "rk1";
  description = "Renders NixOS hosts, Kubernetes manifests and router configuration for Turing RK1 clusters";
}
