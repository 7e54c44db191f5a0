# The mount of the data disk, and the directories that are bound to it.
#
# Nothing here can keep the system from booting: every mount is `nofail`, so a disk that is missing or refused leaves ssh
# up and k3s down. k3s must require the mounts itself (RequiresMountsFor over the names of rk1.storage.binds).
{ config, lib, ... }:
let
  cfg = config.rk1.storage;
in
{
  config = {
    rk1.storage.fileSystems = {
      ${cfg.mountPoint} = {
        # Not by label, and not by the disk's name: the link exists only while the partition behind it, on the configured
        # disk, is known to be ours.
        device = import ./link.nix;
        fsType = "ext4";
        # The script checks it, before it makes the link.
        noCheck = true;
        # Grows the filesystem, mounted and journalled, after systemd-repart has grown the partition.
        autoResize = true;
        options = [
          "noatime"
          "nofail"
          # nofail drops this order; without it tmpfiles would write below the mount points first.
          "x-systemd.before=local-fs.target"
          "x-systemd.requires=rk1-storage.service"
        ];
      };
    }
    // lib.mapAttrs (_target: source: {
      # systemd creates both the directory and the path it is bound to.
      device = "${cfg.mountPoint}/${source}";
      fsType = "none";
      depends = [ cfg.mountPoint ];
      options = [
        "bind"
        "nofail"
        "x-systemd.before=local-fs.target"
      ];
    }) cfg.binds;

    fileSystems = cfg.fileSystems;

    # containerd's state describes processes of this boot; left from the last one, no pod sandbox starts.
    systemd.tmpfiles.settings = lib.mkIf (cfg.binds ? "/run/k3s") {
      "10-rk1-storage"."/run/k3s/containerd"."R!" = { };
    };
  };
}
