# The mount of the data disk, and the directories that are bound to it.
#
# None of these mounts can keep the system from booting, because all are `nofail`: a disk that is missing or refused leaves
# ssh running and k3s stopped. A service that uses the directories requires the mounts (RequiresMountsFor).
{ config, lib, ... }:
let
  cfg = config.rk1.storage;
in
{
  config = {
    rk1.storage.fileSystems = {
      ${cfg.mountPoint} = {
        # Neither a label nor the disk's name: the link exists only while the partition behind it, on the configured disk,
        # is known to belong to rk1.
        device = import ./link.nix;
        fsType = "ext4";
        # The script checks the filesystem before it creates the link.
        noCheck = true;
        # Grows the mounted filesystem after systemd-repart has grown the partition.
        autoResize = true;
        options = [
          "noatime"
          "nodev"
          "nosuid"
          "nofail"
          # The binds below are shared with the containers. With a shared parent, each of their mounts would exist twice.
          "private"
          # nofail drops this order. Without it, systemd-tmpfiles would write below the mount points first.
          "x-systemd.before=local-fs.target"
          "x-systemd.requires=rk1-storage.service"
        ];
      };
    }
    // lib.mapAttrs (_target: directory: {
      device = "${cfg.mountPoint}/${directory}";
      fsType = "none";
      depends = [ cfg.mountPoint ];
      options = [
        "bind"
        "nofail"
        # The kubelet needs mounts below these paths to reach the containers.
        "shared"
        "x-systemd.before=local-fs.target"
        "x-systemd.requires=rk1-storage-directories.service"
      ];
    }) cfg.binds;

    fileSystems = cfg.fileSystems;

    # containerd's state describes the processes of one boot. What an earlier boot left would keep pods from starting.
    systemd.tmpfiles.settings = lib.mkIf (cfg.binds ? "/run/k3s") {
      "10-rk1-storage"."/run/k3s/containerd"."R!" = { };
    };
  };
}
