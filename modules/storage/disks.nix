# All disks of the node in one form: the data disk, if there is one, and the further ones.
{ config, lib, ... }:
let
  cfg = config.rk1.storage;
  further = lib.attrValues (lib.mapAttrs (name: disk: disk // { inherit name; }) cfg.disks);
  taken = lib.concatMap (disk: lib.attrNames disk.binds) further;
  data = {
    name = null;
    inherit (cfg) device mountPoint;
    # A directory that a further disk keeps is not on the data disk.
    binds = removeAttrs cfg.binds taken;
  };
  withNames =
    disk:
    disk
    // {
      uuid = if lib.hasPrefix "UUID=" disk.device then lib.removePrefix "UUID=" disk.device else null;
      # A link to the filesystem to mount. The script of the unit creates it once the filesystem is known to be the right one.
      link = if disk.name == null then import ./link.nix else "/run/rk1/disk-${disk.name}";
      # Identifies the unencrypted disk that this node uses.
      record =
        if disk.name == null then "/var/lib/rk1/storage/disk" else "/var/lib/rk1/storage/disk-${disk.name}";
      units =
        if disk.name == null then
          {
            prepare = "rk1-storage";
            directories = "rk1-storage-directories";
            late = "rk1-storage-late";
          }
        else
          {
            prepare = "rk1-disk-${disk.name}";
            directories = "rk1-directories-${disk.name}";
            late = "rk1-late-${disk.name}";
          };
    };
in
{
  config.rk1.storage = {
    all = map withNames (lib.optional (cfg.device != null) data ++ further);
    paths = lib.sort lib.lessThan (
      lib.concatMap (
        disk: lib.attrNames disk.binds ++ lib.optional (disk.name != null) disk.mountPoint
      ) cfg.all
    );
  };
}
