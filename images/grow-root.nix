# Grows the root filesystem, which is as small as its contents in the image, to the whole eMMC. In the initrd, because the
# activation comes next, and make-ext4-fs leaves hardly an inode free.
{
  config,
  lib,
  pkgs,
  ...
}:
{
  config = lib.mkIf config.rk1.board.enable {
    boot.initrd.systemd = {
      enable = true;
      extraBin = {
        partx = "${pkgs.util-linux}/bin/partx";
        resize2fs = "${pkgs.e2fsprogs}/bin/resize2fs";
        sfdisk = "${pkgs.util-linux}/bin/sfdisk";
      };
      services.grow-root = {
        description = "Grow the root filesystem to the end of its disk";
        wantedBy = [ "initrd-root-fs.target" ];
        after = [ "sysroot.mount" ];
        before = [ "initrd-root-fs.target" ];
        unitConfig = {
          DefaultDependencies = false;
          # Not on a filesystem that cannot be mounted.
          Requires = "sysroot.mount";
        };
        serviceConfig.Type = "oneshot";
        environment.ROOT_DEVICE = config.fileSystems."/".device;
        script = builtins.readFile ./grow-root.sh;
      };
    };
  };
}
