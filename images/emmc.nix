# Names of the eMMC's partitions that no other disk can take. Every identifier of the image is public: a disk in another slot
# may have the same ones, and udev gives a link such as /dev/disk/by-uuid to the device that it sees last.
{
  config,
  lib,
  ...
}:
let
  layout = import ./layout.nix;
  identity = import ./identity.nix { inherit config lib; };
  rule =
    name: number:
    lib.concatStringsSep ", " [
      ''ACTION!="remove"''
      ''SUBSYSTEM=="block"''
      ''ENV{DEVTYPE}=="partition"''
      # The kernel's own name and bus: NVMe, SATA and USB disks have others.
      ''KERNEL=="mmcblk*"''
      ''SUBSYSTEMS=="mmc"''
      ''ENV{ID_PART_ENTRY_UUID}=="${identity.diskId}-0${toString number}"''
      ''SYMLINK+="rk1/${name}"''
    ];
  rules = ''
    ${rule "seed" layout.seedPartition}
    ${rule "root" layout.rootPartition}
  '';
in
{
  config = lib.mkIf config.rk1.board.enable {
    services.udev.extraRules = rules;
    boot.initrd.services.udev.rules = rules;
  };
}
