# The token that the streamers push with. To rotate it, remove its file: a new token is created.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.rk1.grafana;
  inherit (config.rk1.streamer) tokenFile;
in
{
  config = lib.mkIf (cfg.node == config.networking.hostName) {
    systemd.services.grafana-push-token = {
      description = "Create the token that the streamers push with";
      wantedBy = [ "multi-user.target" ];
      # Without a running Grafana, any program that listens on its port would get the administrator's password.
      requires = [ "grafana.service" ];
      after = [ "grafana.service" ];
      unitConfig.ConditionPathExists = "!${tokenFile}";
      path = [
        pkgs.curl
        pkgs.jq
      ];
      environment = {
        GRAFANA_URL = "http://127.0.0.1:${toString cfg.port}";
        TOKEN_FILE = tokenFile;
      };
      serviceConfig = import ./sandbox.nix // {
        Type = "oneshot";
        LoadCredential = "admin-password:${cfg.adminPasswordFile}";
        ReadWritePaths = [ (dirOf tokenFile) ];
        Restart = "on-failure";
        RestartSec = 30;
      };
      script = builtins.readFile ./push-token.sh;
    };
  };
}
