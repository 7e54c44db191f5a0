# Options of the data disk.
{ lib, ... }:
let
  # Excludes what has a meaning in a unit, in fstab or in a shell, and `.` and `..`.
  component = "[A-Za-z0-9_-][A-Za-z0-9._-]*";
in
{
  options.rk1.storage = {
    device = lib.mkOption {
      type = lib.types.strMatching "/dev(/[A-Za-z0-9_:+@-][A-Za-z0-9._:+@-]*)+";
      description = ''
        Disk that holds the cluster's data. It has to be a whole disk. A blank disk gets one partition with an ext4
        filesystem, the disk of this node is used again, and any other disk is refused and not written to.
      '';
      example = "/dev/nvme0n1";
    };

    keyFile = lib.mkOption {
      type = lib.types.nullOr (lib.types.strMatching "(/${component})+");
      default = null;
      description = ''
        File on the system's disk with the key that encrypts the data disk: 32 random bytes or more. It gets there when the
        node is flashed. Null leaves a new disk unencrypted. An unencrypted disk that the node has used stays in use, with a
        warning at each boot, and is never formatted.
      '';
      example = "/var/lib/rk1/secrets/rk1-01-disk";
    };

    mountPoint = lib.mkOption {
      type = lib.types.strMatching "(/${component})+";
      default = "/mnt/data";
      description = "Directory that the disk is mounted at.";
      example = "/mnt/data";
    };

    binds = lib.mkOption {
      type = lib.types.attrsOf (lib.types.strMatching component);
      default = { };
      description = ''
        Directories of the system that live on the disk. Each attribute's name is the path in the system, its value the name
        of the directory in {option}`rk1.storage.mountPoint`.
      '';
      example = {
        "/var/lib/rancher" = "k3s-rancher";
      };
    };

    tenants = lib.mkOption {
      type = lib.types.listOf (lib.types.strMatching "[A-Za-z0-9_.@:-]+");
      default = [ ];
      description = ''
        Units that need the disk and require its mounts. They are started when the disk appears after the boot.
      '';
      example = [ "backup.service" ];
    };

    fileSystems = lib.mkOption {
      type = lib.types.attrsOf lib.types.anything;
      internal = true;
      readOnly = true;
      description = ''
        The part of {option}`fileSystems` that this module defines. NixOS's test machines replace that option, so their
        tests take the mounts from here.
      '';
    };
  };
}
