# Rendered from cluster.toml by `rk1 render`: edit that file, or write attic-3.local.nix beside this one.
# Slot 3 of board turing-pi, whose BMC is at 192.168.1.10.
{ lib, ... }:
{
  imports = [
    ./cluster.nix
  ]
  ++ lib.optional (builtins.pathExists ./attic-3.local.nix) ./attic-3.local.nix;

  networking.hostName = "attic-3";

  # The NixOS release that this host was first rendered for. It tells NixOS how to read data of older releases, so
  # `rk1 render` never changes it.
  system.stateVersion = "26.05";

  rk1 = {
    network.address = "192.168.42.13/24";

    k3s = {
      role = "server";
      serverAddr = "https://192.168.42.11:6443";
    };
  };
}
