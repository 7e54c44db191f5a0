{ callPackage }:
callPackage ./program.nix {
  name = "rk1";
  description = "Renders NixOS hosts, Kubernetes manifests and router configuration for Turing RK1 clusters";
}
