# What the types of rk1.storage cannot express: how its paths relate to each other and to the system.
# `rk1 check` makes the same checks on cluster.toml (src/config/cluster/storage.rs).
{ config, lib, ... }:
let
  inherit (import ./system-paths.nix) bindRoots systemState systemTrees;
  cfg = config.rk1.storage;
  plainPath = "(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+";

  isBelow = parent: path: lib.hasPrefix "${parent}/" path;
  isWithin = parent: path: parent == path || isBelow parent path;
  # Pairs of paths of which one is inside the other.
  nestedIn =
    paths:
    lib.concatMap (
      outer: map (inner: "`${inner}` in `${outer}`") (lib.filter (isBelow outer) paths)
    ) paths;

  isState = path: lib.any (state: isWithin state path || isBelow path state) systemState;
  isBindable = path: lib.any (root: isBelow root path) bindRoots && !isState path;

  partition = "/dev/(nvme[0-9]+n[0-9]+p[0-9]+|[shv]d[a-z]+[0-9]+|disk/by-part.*)";

  quoted = lib.concatMapStringsSep ", " (value: "`${value}`");

  # What must hold for each disk.
  ofDisk =
    disk:
    let
      option = if disk.name == null then "rk1.storage" else "rk1.storage.disks.${disk.name}";
      targets = lib.attrNames disk.binds;
      sources = lib.attrValues disk.binds;
      shared = lib.filter (source: lib.count (other: other == source) sources > 1) (lib.unique sources);
    in
    [
      {
        assertion = builtins.match partition disk.device == null;
        message = "${option}.device: `${disk.device}` is a partition; give the whole disk, such as `/dev/nvme0n1`";
      }
      {
        assertion = builtins.match "/dev/mmcblk.*" disk.device == null;
        message = "${option}.device: `${disk.device}` is the module's eMMC, which holds the system; give the NVMe disk, such as `/dev/nvme0n1`";
      }
      {
        assertion = !lib.any (tree: isWithin tree disk.mountPoint) systemTrees;
        message = "${option}.mountPoint: `${disk.mountPoint}` belongs to the system; give a directory of its own, such as `/mnt/data`";
      }
      {
        assertion = shared == [ ];
        message = "${option}.binds: two paths share ${quoted shared}; give each a directory of its own";
      }
    ]
    ++ map (target: {
      assertion = builtins.match plainPath target != null && isBindable target;
      message = "${option}.binds: `${target}` cannot be on the disk; give a directory below ${quoted bindRoots} that the system does not need to boot";
    }) targets;

  targets = lib.concatMap (disk: lib.attrNames disk.binds) cfg.all;
  mountPoints = map (disk: disk.mountPoint) cfg.all;
  nested = nestedIn targets;
  twice = paths: lib.filter (path: lib.count (other: other == path) paths > 1) (lib.unique paths);
  # A link in /dev and the name that it leads to cannot be told apart here.
  devices = twice (map (disk: disk.device) cfg.all);
  # A partition is named `rk1-disk-NAME`, in at most 36 characters.
  misnamed = lib.filter (name: builtins.match "[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?" name == null) (
    lib.attrNames cfg.disks
  );
in
{
  assertions = [
    {
      assertion = misnamed == [ ];
      message = "rk1.storage.disks: ${quoted misnamed} must be a name of a-z, 0-9 and `-` with at most 24 characters";
    }
    {
      assertion = devices == [ ];
      message = "rk1.storage.disks: ${quoted devices} is the device of two disks; give each its own";
    }
    {
      assertion = nested == [ ] && twice targets == [ ];
      message = "rk1.storage.binds: ${
        lib.concatStringsSep ", " (nested ++ map (path: "`${path}` twice") (twice targets))
      }; choose paths outside each other, because one would hide the other";
    }
    {
      assertion = nestedIn mountPoints == [ ] && twice mountPoints == [ ];
      message = "rk1.storage.disks: ${
        lib.concatStringsSep ", " (
          nestedIn mountPoints ++ map (path: "`${path}` twice") (twice mountPoints)
        )
      }; choose mount points outside each other, because one would hide the other";
    }
  ]
  ++ lib.concatMap ofDisk cfg.all
  ++ lib.concatMap (
    mountPoint:
    map (target: {
      assertion = !isWithin mountPoint target && !isBelow target mountPoint;
      message = "rk1.storage.binds: `${target}` and rk1.storage.mountPoint `${mountPoint}` are inside each other";
    }) targets
  ) mountPoints;
}
