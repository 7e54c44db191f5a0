# Grafana's password and key: created where they are missing, and passed to Grafana as credentials.
{ config, lib, ... }:
let
  cfg = config.rk1.grafana;

  # Grafana reads the secret from the file and never shows it (Grafana's manual, "Variable expansion").
  credential = name: "$__file{/run/credentials/grafana.service/${name}}";
in
{
  config = lib.mkIf (cfg.node == config.networking.hostName) {
    services.grafana.settings.security = {
      admin_user = "admin";
      admin_password = credential "admin-password";
      secret_key = credential "secret-key";
    };

    rk1.secrets.readers = [ "grafana-secrets.service" ];

    systemd.services = {
      grafana-secrets = {
        description = "Create Grafana's password and key where they are missing";
        requiredBy = [ "grafana.service" ];
        before = [ "grafana.service" ];
        after = [ "node-secrets.service" ];
        environment = {
          ADMIN_PASSWORD_FILE = cfg.adminPasswordFile;
          SECRET_KEY_FILE = cfg.secretKeyFile;
        };
        serviceConfig = import ../sandbox.nix // {
          Type = "oneshot";
          RemainAfterExit = true;
          CapabilityBoundingSet = "";
          PrivateNetwork = true;
          ReadWritePaths = lib.unique [
            "-${dirOf cfg.adminPasswordFile}"
            "-${dirOf cfg.secretKeyFile}"
          ];
          RestrictAddressFamilies = "none";
          SystemCallErrorNumber = "EPERM";
          SystemCallFilter = [
            "@system-service"
            "~@privileged @resources"
          ];
        };
        script = builtins.readFile ./secrets.sh;
      };

      grafana.serviceConfig.LoadCredential = [
        "admin-password:${cfg.adminPasswordFile}"
        "secret-key:${cfg.secretKeyFile}"
      ];
    };
  };
}
