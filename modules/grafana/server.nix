# Grafana on its node: the address that it listens on, and the dashboard that it shows.
{ config, lib, ... }:
let
  cfg = config.rk1.grafana;
in
{
  config = lib.mkIf (cfg.node == config.networking.hostName) {
    services.grafana = {
      enable = true;
      settings = {
        server = {
          http_addr = "0.0.0.0";
          http_port = cfg.port;
          domain = config.rk1.network.ipv4;
          root_url = "${cfg.url}/";
        };
        security.disable_gravatar = true;
        users.allow_sign_up = false;
        analytics = {
          reporting_enabled = false;
          check_for_updates = false;
          check_for_plugin_updates = false;
        };
      };
      provision = {
        enable = true;
        dashboards.settings.providers = [
          {
            name = "rk1";
            options.path = "/etc/rk1/dashboards";
          }
        ];
      };
    };

    environment.etc."rk1/dashboards/packets.json".text = builtins.toJSON (
      import ./dashboard.nix {
        inherit lib;
        inherit (cfg) streams;
      }
    );

    networking.firewall.allowedTCPPorts = [ cfg.port ];
  };
}
