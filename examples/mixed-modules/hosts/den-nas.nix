# Rendered from cluster.toml by `rk1 render`: edit that file, or write den-nas.local.nix beside this one.
# A CM3588 module that is in no board.
{ lib, ... }:
{
  imports = [
    ./cluster.nix
  ]
  ++ lib.optional (builtins.pathExists ./den-nas.local.nix) ./den-nas.local.nix;

  networking.hostName = "den-nas";

  # The NixOS release that this host was first rendered for. It tells NixOS how to read data of older releases, so
  # `rk1 render` never changes it.
  system.stateVersion = "26.05";

  rk1 = {
    board = {
      uboot = "ubootCM3588NAS";
      deviceTree = "rockchip/rk3588-friendlyelec-cm3588-nas.dtb";
    };

    network.address = "192.168.20.21/24";

    storage = {
      disks.volumes = {
        device = "/dev/nvme1n1";
        mountPoint = "/mnt/volumes";
        binds = {
          "/var/lib/longhorn" = "longhorn";
        };
      };
    };

    k3s = {
      role = "agent";
      serverAddr = "https://192.168.20.11:6443";
    };
  };
}
