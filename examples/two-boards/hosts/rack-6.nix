# Rendered from cluster.toml by `rk1 render`: edit that file, or write rack-6.local.nix beside this one.
# Slot 2 of board lower, whose BMC is at 10.10.0.6.
{ lib, ... }:
{
  imports = [
    ./cluster.nix
  ]
  ++ lib.optional (builtins.pathExists ./rack-6.local.nix) ./rack-6.local.nix;

  networking.hostName = "rack-6";

  # The NixOS release that this host was first rendered for. It tells NixOS how to read data of older releases, so
  # `rk1 render` never changes it.
  system.stateVersion = "26.05";

  rk1 = {
    network.address = "10.10.0.16/24";

    k3s = {
      role = "agent";
      serverAddr = "https://10.10.0.11:6443";
    };
  };
}
