# Rendered from cluster.toml by `rk1 render`: edit that file, or write den-3.local.nix beside this one.
# Slot 3 of board turing-pi, whose BMC is at 192.168.20.10.
{ lib, ... }:
{
  imports = [
    ./cluster.nix
  ]
  ++ lib.optional (builtins.pathExists ./den-3.local.nix) ./den-3.local.nix;

  networking.hostName = "den-3";

  # The NixOS release that this host was first rendered for. It tells NixOS how to read data of older releases, so
  # `rk1 render` never changes it.
  system.stateVersion = "26.05";

  rk1 = {
    network.address = "192.168.20.13/24";

    storage = {
      device = "/dev/disk/by-id/ata-ST4000VN008_ZDH1A2B3";
      disks.photos = {
        device = "UUID=3f2b8c1e-6d54-4a0f-9b7c-1e2d3c4b5a69";
        mountPoint = "/mnt/photos";
      };
    };

    k3s = {
      role = "agent";
      serverAddr = "https://192.168.20.11:6443";
    };
  };
}
