# Rendered from cluster.toml by `rk1 render`: edit that file, or write den-2.local.nix beside this one.
# Slot 2 of board turing-pi, whose BMC is at 192.168.20.10.
{ lib, ... }:
{
  imports = [
    ./cluster.nix
  ]
  ++ lib.optional (builtins.pathExists ./den-2.local.nix) ./den-2.local.nix;

  networking.hostName = "den-2";

  # The NixOS release that this host was first rendered for. It tells NixOS how to read data of older releases, so
  # `rk1 render` never changes it.
  system.stateVersion = "26.05";

  rk1 = {
    network.address = "192.168.20.12/24";

    storage = {
      device = null;
    };

    k3s = {
      role = "agent";
      serverAddr = "https://192.168.20.11:6443";
    };
  };
}
