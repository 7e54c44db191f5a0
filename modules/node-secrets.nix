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

  # As `systemd-escape --path --suffix=device` names it.
  deviceUnit =
    lib.replaceStrings [ "-" "/" ] [ "\\x2d" "-" ] (lib.removePrefix "/" cfg.seedDevice) + ".device";
in
{
  options.rk1.secrets = {
    seedDevice = lib.mkOption {
      type = types.nullOr (types.strMatching "/dev(/[A-Za-z0-9_.:-]+)+");
      default = null;
      description = "Partition that the secrets come on. The image sets it; null where all secrets come another way.";
      example = "/dev/disk/by-label/RK1-SEED";
    };

    directory = lib.mkOption {
      type = types.secretFile;
      default = "/var/lib/rk1/secrets";
      example = "/var/lib/rk1/secrets";
      description = "Where the node keeps its secrets, one file each, for root alone.";
    };

    readers = lib.mkOption {
      type = types.listOf (types.strMatching "[A-Za-z0-9_.@:-]+");
      default = [ ];
      example = [ "backup.service" ];
      description = ''
        Units that read secrets. They start once the seed has been taken, and not at all where it was refused.
      '';
    };
  };

  config = lib.mkIf (cfg.seedDevice != null) {
    systemd.services.node-secrets = {
      description = "Take the node's secrets from its seed partition";
      # Early: sshd's key is in place before sshd or anybody else looks for it, and so are keys by which others decrypt.
      wantedBy = [ "sysinit.target" ];
      requiredBy = cfg.readers;
      wants = [ deviceUnit ];
      after = [
        "local-fs.target"
        deviceUnit
      ];
      before = [
        "sysinit.target"
        "shutdown.target"
        "sshd-keygen.service"
        # sops-nix and agenix, as far as they are units.
        "sops-install-secrets.service"
        "agenix-install-secrets.service"
      ]
      ++ cfg.readers;
      conflicts = [ "shutdown.target" ];
      unitConfig = {
        DefaultDependencies = false;
        RequiresMountsFor = [ cfg.directory ];
      };
      # Its readers would be stopped with it; there is nothing to take but at a boot.
      restartIfChanged = false;
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
        SSH_KEYS = "/etc/ssh";
        CLUSTER = config.rk1.cluster.name;
        NODE = config.networking.hostName;
      };
      script = builtins.readFile ./node-secrets.sh;
    };
  };
}
