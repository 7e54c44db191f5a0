# The mounts of the disks, and the directories that are bound to them.
#
# None of these mounts can keep the system from booting, because all are `nofail`: a disk that is missing or refused leaves
# ssh running and k3s stopped. A service that uses the directories requires the mounts (RequiresMountsFor).
{ config, lib, ... }:
let
  cfg = config.rk1.storage;

  mounts =
    disk:
    {
      ${disk.mountPoint} = {
        # Neither a label nor the disk's name: the link exists only while the filesystem behind it is known to be the right one.
        device = disk.link;
        # What exists is ext4 or XFS; the script has seen that.
        fsType = if disk.uuid == null then "ext4" else "auto";
        # The script checks the filesystem before it creates the link.
        noCheck = true;
        # Grows the mounted filesystem after systemd-repart has grown the partition.
        autoResize = disk.uuid == null;
        options = [
          "noatime"
          "nodev"
          "nosuid"
          "nofail"
          # The binds below are shared with the containers. With a shared parent, each of their mounts would exist twice.
          "private"
          # nofail drops this order. Without it, systemd-tmpfiles would write below the mount points first.
          "x-systemd.before=local-fs.target"
          "x-systemd.requires=${disk.units.prepare}.service"
        ];
      };
    }
    // lib.mapAttrs (_target: directory: {
      device = "${disk.mountPoint}/${directory}";
      fsType = "none";
      depends = [ disk.mountPoint ];
      options = [
        "bind"
        "nofail"
        # The kubelet needs mounts below these paths to reach the containers.
        "shared"
        "x-systemd.before=local-fs.target"
        "x-systemd.requires=${disk.units.directories}.service"
      ];
    }) disk.binds;
in
{
  config = {
    rk1.storage.fileSystems = lib.mergeAttrsList (map mounts cfg.all);

    fileSystems = cfg.fileSystems;

    boot.supportedFilesystems = lib.mkIf (lib.any (disk: disk.uuid != null) cfg.all) [
      "ext4"
      "xfs"
    ];

    # containerd's state describes the processes of one boot. What an earlier boot left would keep pods from starting.
    systemd.tmpfiles.settings = lib.mkIf (lib.any (disk: disk.binds ? "/run/k3s") cfg.all) {
      "10-rk1-storage"."/run/k3s/containerd"."R!" = { };
    };
  };
}
