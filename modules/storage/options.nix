# Options of the data disk.
{ lib, ... }:
let
  # Excludes what has a meaning in a unit, in fstab or in a shell, and `.` and `..`.
  component = "[A-Za-z0-9_-][A-Za-z0-9._-]*";
  disk = "/dev(/[A-Za-z0-9_:+@-][A-Za-z0-9._:+@-]*)+";
  uuid = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";
  source = lib.types.strMatching "${disk}|UUID=${uuid}";
  directories = lib.types.attrsOf (lib.types.strMatching component);

  furtherDisk = lib.types.submodule (
    { name, ... }:
    {
      options = {
        device = lib.mkOption {
          type = source;
          description = "As {option}`rk1.storage.device`.";
          example = "/dev/sda";
        };

        mountPoint = lib.mkOption {
          type = lib.types.strMatching "(/${component})+";
          default = "/mnt/${name}";
          defaultText = lib.literalExpression ''"/mnt/''${name}"'';
          description = "Directory that the disk is mounted at.";
          example = "/mnt/archive";
        };

        binds = lib.mkOption {
          type = directories;
          default = { };
          description = ''
            Directories of the system that live on the disk, as in {option}`rk1.storage.binds`, where they are then left out.
          '';
          example = {
            "/var/lib/longhorn" = "longhorn";
          };
        };
      };
    }
  );
in
{
  options.rk1.storage = {
    device = lib.mkOption {
      type = lib.types.nullOr source;
      description = ''
        Disk that holds the cluster's data. It has to be a whole disk. A blank disk gets one partition with an ext4
        filesystem, the disk of this node is used again, and any other disk is refused and not written to.

        `UUID=` and the UUID of an ext4 or XFS filesystem stands for that filesystem, which is used as it is: never formatted,
        grown or encrypted.

        Null stands for no data disk. {option}`rk1.storage.binds` then has no effect, and its directories are on the system's
        disk.
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
      type = directories;
      default = { };
      description = ''
        Directories of the system that live on the disk. Each attribute's name is the path in the system, its value the name
        of the directory in {option}`rk1.storage.mountPoint`.
      '';
      example = {
        "/var/lib/rancher" = "k3s-rancher";
      };
    };

    disks = lib.mkOption {
      type = lib.types.attrsOf furtherDisk;
      default = { };
      description = ''
        Further disks. {file}`rk1-disk-NAME.service` prepares each of them. {option}`rk1.storage.keyFile` also encrypts these.
      '';
      example = {
        archive.device = "/dev/sda";
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

    all = lib.mkOption {
      type = lib.types.listOf lib.types.anything;
      internal = true;
      readOnly = true;
      description = "All disks with their units, the data disk first.";
    };

    paths = lib.mkOption {
      type = lib.types.listOf lib.types.str;
      internal = true;
      readOnly = true;
      description = "Paths that k3s requires: the directories on disks, and the mount points of further disks.";
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
