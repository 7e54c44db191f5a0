{
  lib,
  callPackage,
  revision ? null,
}:
callPackage ./program.nix {
  inherit revision;
  # All but `rk1 lab` works on a Mac, too.
  platforms = lib.platforms.linux ++ lib.platforms.darwin;
  name = "rk1";
  description = "Renders NixOS hosts, Kubernetes manifests and router configuration for Turing RK1 clusters";
}
