# Moves the node's secrets from the FAT partition that `rk1 flash` fills to the node's own disk, before any unit reads them.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  types = lib.types // import ./types.nix { inherit lib; };
  cfg = config.rk1.secrets;
  sshKeys = "/etc/ssh";

  # As `systemd-escape --path --suffix=device` names it.
  deviceUnit =
    lib.replaceStrings [ "-" "/" ] [ "\\x2d" "-" ] (lib.removePrefix "/" cfg.seedDevice) + ".device";
in
{
  options.rk1.secrets = {
    seedDevice = lib.mkOption {
      type = types.nullOr (types.strMatching "/dev(/[A-Za-z0-9_.:-]+)+");
      default = null;
      description = ''
        Partition that holds the seed. The image sets it. Null means that all secrets reach the node in another way.
      '';
      example = "/dev/disk/by-label/RK1-SEED";
    };

    directory = lib.mkOption {
      type = types.secretFile;
      default = "/var/lib/rk1/secrets";
      example = "/var/lib/rk1/secrets";
      description = "Directory of the node's secrets, one file each. Only root can read it.";
    };

    readers = lib.mkOption {
      type = types.listOf (types.strMatching "[A-Za-z0-9_.@:-]+");
      default = [ ];
      example = [ "backup.service" ];
      description = ''
        Units that read secrets. They start after the seed's secrets have been moved, and do not start if the seed was
        refused.
      '';
    };
  };

  config = {
    systemd.tmpfiles.settings."10-rk1-secrets".${cfg.directory}.d.mode = "0700";

    systemd.services.node-secrets = lib.mkIf (cfg.seedDevice != null) {
      description = "Move the node's secrets from its seed partition";
      # Early, so that sshd's host key and the keys that decrypt other secrets exist before anything looks for them.
      wantedBy = [ "sysinit.target" ];
      requiredBy = cfg.readers;
      wants = [ deviceUnit ];
      after = [
        "systemd-remount-fs.service"
        deviceUnit
      ];
      before = [
        # The data disk's key is among the secrets.
        "rk1-storage.service"
        "sysinit.target"
        "shutdown.target"
        "sshd-keygen.service"
        # sops-nix and agenix, where they are configured to run as units.
        "sops-install-secrets.service"
        "agenix-install-secrets.service"
      ]
      ++ cfg.readers;
      conflicts = [ "shutdown.target" ];
      unitConfig = {
        DefaultDependencies = false;
        RequiresMountsFor = [ cfg.directory ];
      };
      # A restart would stop the readers, and a seed only ever appears at a boot.
      restartIfChanged = false;
      serviceConfig = import ./node-secrets/sandbox.nix // {
        Type = "oneshot";
        RemainAfterExit = true;
        # Outside the restrictions (systemd.service(5)): a fresh image has none of these folders.
        ExecStartPre = "+${pkgs.coreutils}/bin/install --directory ${sshKeys} ${cfg.directory}";
        # With `-`: systemd makes these paths writable for the command above, too, and would fail where they are missing.
        ReadWritePaths = [
          "-${sshKeys}"
          "-${cfg.directory}"
        ];
        # sshd waits for sysinit.target: a seed that takes forever must not keep it from starting.
        TimeoutStartSec = "2min";
        RuntimeDirectory = "node-secrets";
        RuntimeDirectoryMode = "0700";
      };
      path = [ pkgs.util-linux ];
      environment = {
        SEED_DEVICE = cfg.seedDevice;
        SECRETS = cfg.directory;
        SSH_KEYS = sshKeys;
        CLUSTER = config.rk1.cluster.name;
        NODE = config.networking.hostName;
      };
      script = builtins.readFile ./node-secrets.sh;
    };
  };
}
