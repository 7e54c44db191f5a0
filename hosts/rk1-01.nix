# Rendered from cluster.toml by `rk1 render`: edit that file, or write rk1-01.local.nix beside this one.
# Slot 1 of board turing-pi, whose BMC is at 172.16.10.220.
{ lib, ... }:
{
  imports = [
    ./cluster.nix
  ]
  ++ lib.optional (builtins.pathExists ./rk1-01.local.nix) ./rk1-01.local.nix;

  networking.hostName = "rk1-01";

  # The NixOS release that this host was first rendered for. It tells NixOS how to read data of older releases, so
  # `rk1 render` never changes it.
  system.stateVersion = "26.05";

  rk1 = {
    network.address = "172.16.10.221/24";

    k3s = {
      role = "server";
      clusterInit = true;
      serverCaFile = "/var/lib/rk1/secrets/k3s-server-ca";
    };
  };
}
