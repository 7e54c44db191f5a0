# The filesystems and the first boot of a flashed node, and the image itself. `nixos-rebuild switch` evaluates the same
# file, so that the running system matches the image.
{
  config,
  lib,
  pkgs,
  modulesPath,
  ...
}:
let
  layout = import ./layout.nix;
  identity = import ./identity.nix { inherit config lib; };
in
{
  imports = [
    ./emmc.nix
    ./grow-root.nix
    ./register-store.nix
  ];

  config = lib.mkIf config.rk1.board.enable {
    fileSystems."/" = {
      device = "/dev/rk1/root";
      fsType = "ext4";
      options = [ "noatime" ];
    };

    rk1.secrets.seedDevice = lib.mkDefault "/dev/rk1/seed";

    system.build.rk1Image = import ./disk-image.nix {
      inherit
        config
        pkgs
        modulesPath
        layout
        identity
        ;
    };
  };
}
