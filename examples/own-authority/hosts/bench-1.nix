# Rendered from cluster.toml by `rk1 render`: edit that file, or write bench-1.local.nix beside this one.
# Slot 1 of board turing-pi, whose BMC is at 10.30.0.10.
{ lib, ... }:
{
  imports = [
    ./cluster.nix
  ]
  ++ lib.optional (builtins.pathExists ./bench-1.local.nix) ./bench-1.local.nix;

  networking.hostName = "bench-1";

  # The NixOS release that this host was first rendered for. It tells NixOS how to read data of older releases, so
  # `rk1 render` never changes it.
  system.stateVersion = "26.05";

  rk1 = {
    network.address = "10.30.0.11/24";

    k3s = {
      role = "server";
      clusterInit = true;
      serverCaFile = "/var/lib/rk1/secrets/k3s-server-ca";
    };
  };
}
