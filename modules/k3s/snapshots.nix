# Snapshots of etcd, on the data disk and in an S3 bucket.
{ config, lib, ... }:
let
  types = lib.types // import ../types.nix { inherit lib; };
  cfg = config.rk1.k3s;
  inherit (cfg) snapshots;
  inherit (snapshots) s3;
  argument = import ../argument.nix { inherit lib; };
  hasS3 = s3 != null;
in
{
  options.rk1.k3s.snapshots = {
    enable = lib.mkOption {
      type = types.bool;
      default = true;
      example = false;
      description = "Whether servers make snapshots of etcd by themselves.";
    };

    schedule = lib.mkOption {
      type = types.nullOr (types.strMatching "@[a-z]+|[0-9A-Za-z*/,?-]+( [0-9A-Za-z*/,?-]+){4}");
      default = null;
      example = "0 */6 * * *";
      description = "When each server makes a snapshot, in the notation of cron. Null is k3s's default, every twelve hours.";
    };

    retention = lib.mkOption {
      type = types.nullOr types.ints.positive;
      default = null;
      example = 10;
      description = "Number of snapshots that are kept. Null is k3s's default, 5.";
    };

    compress = lib.mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = "Whether snapshots are compressed.";
    };

    s3 = lib.mkOption {
      type = types.nullOr (types.attrsOf types.anything);
      default = null;
      example = {
        etcd-s3-bucket = "etcd";
        etcd-s3-access-key = "AKIAIOSFODNN7EXAMPLE";
        etcd-s3-secret-key._secret = "/var/lib/rk1/secrets/s3-key";
      };
      description = ''
        Settings of the S3 bucket, named as the flags of k3s. They are written to a file that k3s and `k3s etcd-snapshot` read,
        which is not in the Nix store. A set with the only attribute `_secret` stands for the content of a file on the node.
      '';
    };
  };

  config = lib.mkIf (cfg.enable && cfg.role == "server") {
    services.k3s.extraFlags =
      lib.optional (!snapshots.enable) "--etcd-disable-snapshots"
      ++ lib.optional (snapshots.schedule != null) (
        argument "--etcd-snapshot-schedule-cron=${snapshots.schedule}"
      )
      ++ lib.optional (
        snapshots.retention != null
      ) "--etcd-snapshot-retention=${toString snapshots.retention}"
      ++ lib.optional snapshots.compress "--etcd-snapshot-compress";

    rk1.k3s.configFiles = lib.mkIf hasS3 {
      "snapshots.yaml" = s3 // {
        etcd-s3 = true;
      };
    };

    # k3s reads the files of this folder, whichever of its commands runs.
    environment.etc = lib.mkIf hasS3 {
      "rancher/k3s/config.yaml.d/rk1-snapshots.yaml".source = "${cfg.configDirectory}/snapshots.yaml";
    };
  };
}
