# The data disk: prepared once, then mounted, with k3s's directories bound to it.
#
# Nothing here can keep the system from booting: every mount is `nofail`, so a disk that is missing or refused leaves ssh
# up and k3s down. k3s must require the mounts itself (RequiresMountsFor over the names of rk1.storage.binds).
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.rk1.storage;
  link = "/run/rk1/storage";

  # Nothing that means something else in a unit, in fstab or to a shell; no `.` or `..`.
  component = "[A-Za-z0-9_-][A-Za-z0-9._-]*";
in
{
  imports = [ ./storage/assertions.nix ];

  options.rk1.storage = {
    device = lib.mkOption {
      type = lib.types.strMatching "/dev(/[A-Za-z0-9_:+@-][A-Za-z0-9._:+@-]*)+";
      description = ''
        The disk that holds the cluster's data, as a whole. A blank disk gets one ext4 partition; the disk of an earlier
        installation is used again; a disk that holds anything else is refused and not written to.
      '';
      example = "/dev/nvme0n1";
    };

    mountPoint = lib.mkOption {
      type = lib.types.strMatching "(/${component})+";
      default = "/mnt/data";
      description = "Where the disk is mounted.";
      example = "/mnt/data";
    };

    binds = lib.mkOption {
      type = lib.types.attrsOf (lib.types.strMatching component);
      default = { };
      description = ''
        Directories of the system that live on the disk: the path as the system sees it, and the name of the
        directory in {option}`rk1.storage.mountPoint` that holds it.
      '';
      example = {
        "/var/lib/rancher" = "k3s-rancher";
      };
    };

    fileSystems = lib.mkOption {
      type = lib.types.attrsOf lib.types.anything;
      internal = true;
      readOnly = true;
      description = ''
        What {option}`fileSystems` gets from this module. NixOS's test machines replace all of that option, so their tests
        take the mounts from here.
      '';
    };
  };

  config = {
    rk1.storage.fileSystems = {
      ${cfg.mountPoint} = {
        # Not by label, and not by the disk's name: the link exists only while the partition behind it, on the configured
        # disk, is known to be ours.
        device = link;
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

    systemd.services.rk1-storage = {
      description = "Prepare the data disk ${cfg.device}";
      # Started by the mount that requires it, early: before local-fs.target.
      unitConfig.DefaultDependencies = false;
      conflicts = [ "shutdown.target" ];
      before = [
        "local-fs.target"
        "shutdown.target"
      ];
      path = [
        config.systemd.package
        pkgs.coreutils
        pkgs.diffutils
        pkgs.e2fsprogs
        pkgs.gnugrep
        pkgs.gnused
        pkgs.util-linux
      ];
      # A restart would stop the mounts, and k3s with them.
      restartIfChanged = false;
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        # No argument can hold what systemd or a shell would expand: the types see to that.
        ExecStart = "${lib.getExe pkgs.bash} ${./storage/prepare-disk.sh} ${cfg.device} ${./storage/repart.d} ${link}";
        # The console too: a refused disk must be seen where the node is looked at when ssh is not set up yet.
        StandardError = "journal+console";
      };
    };

    fileSystems = cfg.fileSystems;

    # containerd's state describes processes of this boot; left from the last one, no pod sandbox starts.
    systemd.tmpfiles.settings = lib.mkIf (cfg.binds ? "/run/k3s") {
      "10-rk1-storage"."/run/k3s/containerd"."R!" = { };
    };
  };
}
