# The image is as small as its contents. On its first boot the node takes the whole eMMC, and Nix learns what the image holds.
{
  config,
  lib,
  pkgs,
  ...
}:
{
  config = lib.mkIf config.rk1.board.enable {
    systemd.services.first-boot = {
      description = "Grow the root filesystem and register the image's store paths";
      wantedBy = [ "multi-user.target" ];
      before = [
        "k3s.service"
        "nix-gc.service"
      ];
      # make-ext4-fs leaves this file; it goes when all is done, so that a cut run begins again.
      unitConfig.ConditionPathExists = "/nix-path-registration";
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
      };
      path = [
        config.nix.package
        pkgs.e2fsprogs
        pkgs.util-linux
      ];
      script = builtins.readFile ./first-boot.sh;
    };
  };
}
