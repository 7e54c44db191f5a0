# Secrets come on the FAT partition that `rk1 flash` fills. They move to the node's own disk before anything reads them.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  types = lib.types // import ./types.nix { inherit lib; };
  cfg = config.rk1.secrets;
in
{
  options.rk1.secrets = {
    seedDevice = lib.mkOption {
      type = types.nullOr (types.strMatching "/dev/.+");
      default = null;
      description = ''
        Partition that the secrets come on, in its directory `secrets`. The image sets it; null where the secrets come
        another way.
      '';
      example = "/dev/disk/by-label/RK1-SEED";
    };

    directory = lib.mkOption {
      type = types.secretFile;
      default = "/var/lib/rk1/secrets";
      example = "/var/lib/rk1/secrets";
      description = "Where the node keeps its secrets, one file each, for root alone.";
    };
  };

  config = lib.mkIf (cfg.seedDevice != null) {
    systemd.services.node-secrets = {
      description = "Take the node's secrets from its seed partition";
      wantedBy = [ "multi-user.target" ];
      before = [ "k3s.service" ];
      unitConfig.RequiresMountsFor = [ cfg.directory ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        UMask = "0077";
        # The mount is seen by this unit alone.
        PrivateMounts = true;
        RuntimeDirectory = "node-secrets";
        RuntimeDirectoryMode = "0700";
      };
      path = [ pkgs.util-linux ];
      environment = {
        SEED_DEVICE = cfg.seedDevice;
        SECRETS = cfg.directory;
      };
      script = builtins.readFile ./node-secrets.sh;
    };
  };
}
