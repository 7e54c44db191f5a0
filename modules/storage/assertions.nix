# What the types of rk1.storage cannot say: how its paths stand to each other and to the system.
# `rk1 check` says the same of cluster.toml (src/config/cluster/storage.rs).
{ config, lib, ... }:
let
  inherit (import ./system-paths.nix) bindRoots systemState systemTrees;
  cfg = config.rk1.storage;
  targets = lib.attrNames cfg.binds;
  plainPath = "(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+";

  isBelow = parent: path: lib.hasPrefix "${parent}/" path;
  isWithin = parent: path: parent == path || isBelow parent path;
  # Of some paths, those that lie in another of them.
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
      message = "rk1.storage.binds: two paths share ${quoted shared}; give each its own directory";
    }
    {
      assertion = nested == [ ];
      message = "rk1.storage.binds: ${lib.concatStringsSep ", " nested}; keep them apart, the one would hide the other";
    }
  ]
  ++ map (target: {
    assertion = builtins.match plainPath target != null && isBindable target;
    message = "rk1.storage.binds: `${target}` cannot live on the disk; give a directory below ${quoted bindRoots}, and none that the system needs to boot";
  }) targets
  ++ map (target: {
    assertion = !isWithin cfg.mountPoint target && !isBelow target cfg.mountPoint;
    message = "rk1.storage.binds: `${target}` and rk1.storage.mountPoint `${cfg.mountPoint}` lie in each other";
  }) targets;
}
