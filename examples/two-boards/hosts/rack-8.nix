# Rendered from cluster.toml by `rk1 render`: edit that file, or write rack-8.local.nix beside this one.
# Slot 4 of board lower, whose BMC is at 10.10.0.6.
{ lib, ... }:
{
  imports = [
    ./cluster.nix
  ]
  ++ lib.optional (builtins.pathExists ./rack-8.local.nix) ./rack-8.local.nix;

  networking.hostName = "rack-8";

  # The NixOS release that this host was first rendered for. It tells NixOS how to read data of older releases, so
  # `rk1 render` never changes it.
  system.stateVersion = "26.05";

  rk1 = {
    network.address = "10.10.0.18/24";

    k3s = {
      role = "agent";
      serverAddr = "https://10.10.0.11:6443";
    };
  };
}
