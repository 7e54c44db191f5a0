# What the types of rk1.storage cannot say: how its paths stand to each other and to the system.
# `rk1 check` says the same of cluster.toml (src/cluster/storage.rs).
{ config, lib, ... }:
let
  cfg = config.rk1.storage;
  targets = lib.attrNames cfg.binds;
  component = "\\.?[A-Za-z0-9_+:@-][A-Za-z0-9._+:@-]*";
  absolutePath = "(/${component})+";

  isBelow = parent: path: lib.hasPrefix "${parent}/" path;
  isWithin = parent: path: parent == path || isBelow parent path;
  # Of some paths, those that lie in another of them.
  nestedIn =
    paths:
    lib.concatMap (
      outer: map (inner: "`${inner}` in `${outer}`") (lib.filter (isBelow outer) paths)
    ) paths;

  # Directories that the system needs as they are; directories of their own may lie below them.
  system = [
    "/home"
    "/lib"
    "/mnt"
    "/opt"
    "/root"
    "/run"
    "/sbin"
    "/srv"
    "/tmp"
    "/var"
    "/var/lib"
    "/var/log"
  ];
  # Directories of the system below which nothing else may be mounted either.
  closed = [
    "/bin"
    "/boot"
    "/dev"
    "/etc"
    "/nix"
    "/proc"
    "/run/rk1"
    "/run/systemd"
    "/run/udev"
    "/sys"
    "/usr"
    "/var/lib/nixos"
    "/var/lib/rk1"
    "/var/lib/systemd"
  ];
  belongsToSystem = path: lib.elem path system || lib.any (parent: isWithin parent path) closed;

  partition = "/dev/(nvme[0-9]+n[0-9]+p[0-9]+|[shv]d[a-z]+[0-9]+|disk/by-part.*)";

  sources = lib.attrValues cfg.binds;
  shared = lib.filter (source: lib.count (other: other == source) sources > 1) (lib.unique sources);
  nested = nestedIn targets ++ nestedIn (lib.unique sources);
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
      assertion = !belongsToSystem cfg.mountPoint;
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
    assertion = builtins.match absolutePath target != null && !belongsToSystem target;
    message = "rk1.storage.binds: `${target}` belongs to the system or is no plain path; give a directory of its own, such as `/var/lib/rancher`";
  }) targets
  ++ map (target: {
    assertion = !isWithin cfg.mountPoint target && !isBelow target cfg.mountPoint;
    message = "rk1.storage.binds: `${target}` and rk1.storage.mountPoint `${cfg.mountPoint}` lie in each other";
  }) targets;
}
