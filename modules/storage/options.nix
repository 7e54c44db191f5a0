# What can be said of the data disk.
{ lib, ... }:
let
  # Nothing that means something else in a unit, in fstab or to a shell; no `.` or `..`.
  component = "[A-Za-z0-9_-][A-Za-z0-9._-]*";
in
{
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
}
