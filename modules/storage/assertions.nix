# What the types of rk1.storage cannot express: how its paths relate to each other and to the system.
# `rk1 check` makes the same checks on cluster.toml (src/config/cluster/storage.rs).
{ config, lib, ... }:
let
  inherit (import ./system-paths.nix) bindRoots systemState systemTrees;
  cfg = config.rk1.storage;
  targets = lib.attrNames cfg.binds;
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

  sources = lib.attrValues cfg.binds;
  shared = lib.filter (source: lib.count (other: other == source) sources > 1) (lib.unique sources);
  nested = nestedIn targets;
  quoted = lib.concatMapStringsSep ", " (value: "`${value}`");
in
{
  assertions = [
    {
      assertion = builtins.match partition cfg.device == null;
      message = "rk1.storage.device: `${cfg.device}` is a partition; give the whole disk, such as `/dev/nvme0n1`";
    }
    {
      assertion = builtins.match "/dev/mmcblk.*" cfg.device == null;
      message = "rk1.storage.device: `${cfg.device}` is the module's eMMC, which holds the system; give the NVMe disk, such as `/dev/nvme0n1`";
    }
    {
      assertion = !lib.any (tree: isWithin tree cfg.mountPoint) systemTrees;
      message = "rk1.storage.mountPoint: `${cfg.mountPoint}` belongs to the system; give a directory of its own, such as `/mnt/data`";
    }
    {
      assertion = shared == [ ];
      message = "rk1.storage.binds: two paths share ${quoted shared}; give each a directory of its own";
    }
    {
      assertion = nested == [ ];
      message = "rk1.storage.binds: ${lib.concatStringsSep ", " nested}; choose paths outside each other, because one would hide the other";
    }
  ]
  ++ map (target: {
    assertion = builtins.match plainPath target != null && isBindable target;
    message = "rk1.storage.binds: `${target}` cannot be on the disk; give a directory below ${quoted bindRoots} that the system does not need to boot";
  }) targets
  ++ map (target: {
    assertion = !isWithin cfg.mountPoint target && !isBelow target cfg.mountPoint;
    message = "rk1.storage.binds: `${target}` and rk1.storage.mountPoint `${cfg.mountPoint}` are inside each other";
  }) targets;
}
