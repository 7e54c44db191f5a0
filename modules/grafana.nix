# A Grafana on one of the nodes, with the dashboard, and the streamers of all nodes pointed at it.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  types = lib.types // import ./types.nix { inherit lib; };
  cfg = config.rk1.grafana;
  streamer = config.rk1.streamer;
  inherit (config.networking) hostName;
  isHere = cfg.node == hostName;
  isNode = config.rk1.cluster.nodes ? ${cfg.node};
  # Of a node that is none, an assertion tells.
  address = if isNode then config.rk1.cluster.nodes.${cfg.node} else "0.0.0.0";

  # Grafana reads a secret from a file, and never shows it (Grafana's manual, "Variable expansion").
  credential = name: "$__file{/run/credentials/grafana.service/${name}}";
in
{
  options.rk1.grafana = {
    node = lib.mkOption {
      type = types.nullOr types.hostName;
      default = null;
      example = "rk1-01";
      description = ''
        Node that runs a Grafana, which shows the packets of all nodes. Say it on every node: what their streamers push
        to follows from it. Null means that Grafana is elsewhere.
      '';
    };

    port = lib.mkOption {
      type = types.port;
      default = 3000;
      example = 8080;
      description = "Port that it listens on, opened in that node's firewall.";
    };

    url = lib.mkOption {
      type = types.nullOr types.httpUrl;
      default = if cfg.node == null then null else "http://${address}:${toString cfg.port}";
      defaultText = lib.literalMD "the node's address and {option}`rk1.grafana.port`, by plain http";
      example = "https://grafana.example.org";
      description = ''
        Its address for browsers and streamers. With plain http, tokens and passwords cross the nodes' network in the
        clear: behind a gateway that speaks TLS, write its address.
      '';
    };

    adminPasswordFile = lib.mkOption {
      type = types.secretFile;
      default = "${config.rk1.secrets.directory}/grafana-admin-password";
      defaultText = lib.literalMD "`grafana-admin-password` in {option}`rk1.secrets.directory`";
      example = "/var/lib/rk1/secrets/grafana-admin-password";
      description = "File with the password of the user `admin`. Made at the first start where it is missing.";
    };

    secretKeyFile = lib.mkOption {
      type = types.secretFile;
      default = "${config.rk1.secrets.directory}/grafana-secret-key";
      defaultText = lib.literalMD "`grafana-secret-key` in {option}`rk1.secrets.directory`";
      example = "/var/lib/rk1/secrets/grafana-secret-key";
      description = "File with the key that Grafana's database is encrypted with. Made at the first start.";
    };

    streams = lib.mkOption {
      type = types.nonEmptyListOf types.str;
      default = lib.concatMap (
        host:
        map (instance: instance.stream) (
          import ./xdp-streamer/instances.nix {
            inherit lib host;
            inherit (streamer) interfaces stream;
          }
        )
      ) (builtins.attrNames config.rk1.cluster.nodes);
      defaultText = lib.literalMD "every node's streams, named as on this node";
      example = [ "rk1-rk1-01" ];
      description = "Streams that the dashboard offers.";
    };
  };

  config = lib.mkIf (cfg.node != null) (
    lib.mkMerge [
      {
        rk1.streamer = {
          url = lib.mkDefault cfg.url;
          tokenFile = lib.mkDefault "${config.rk1.secrets.directory}/grafana-token";
        };

        assertions = [
          {
            assertion = isNode;
            message = "rk1.grafana.node is `${cfg.node}`, which is no node of the cluster: set it to one of ${lib.concatStringsSep ", " (builtins.attrNames config.rk1.cluster.nodes)}.";
          }
          {
            assertion = isNode && streamer.enable -> streamer.url == cfg.url;
            message = "rk1.grafana is at ${cfg.url}, but the streamer pushes to ${toString streamer.url}: write `url = \"${cfg.url}\"` under `[streamer]` in cluster.toml, or leave rk1.grafana.node out.";
          }
        ];
      }

      (lib.mkIf isHere {
        services.grafana = {
          enable = true;
          settings = {
            server = {
              http_addr = "0.0.0.0";
              http_port = cfg.port;
              domain = address;
              root_url = "${cfg.url}/";
            };
            security = {
              admin_user = "admin";
              admin_password = credential "admin-password";
              secret_key = credential "secret-key";
              disable_gravatar = true;
            };
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
          import ./grafana/dashboard.nix {
            inherit lib;
            inherit (cfg) streams;
          }
        );

        networking.firewall.allowedTCPPorts = [ cfg.port ];

        rk1.secrets.readers = [ "grafana-secrets.service" ];

        systemd.services = {
          grafana-secrets = {
            description = "Make Grafana's password and key where they are missing";
            requiredBy = [ "grafana.service" ];
            before = [ "grafana.service" ];
            after = [ "node-secrets.service" ];
            environment = {
              ADMIN_PASSWORD_FILE = cfg.adminPasswordFile;
              SECRET_KEY_FILE = cfg.secretKeyFile;
            };
            serviceConfig = {
              Type = "oneshot";
              RemainAfterExit = true;
              UMask = "0077";
            };
            script = builtins.readFile ./grafana/secrets.sh;
          };

          grafana.serviceConfig.LoadCredential = [
            "admin-password:${cfg.adminPasswordFile}"
            "secret-key:${cfg.secretKeyFile}"
          ];

          # A new token is made when its file is gone: that is how it is rotated.
          grafana-push-token = {
            description = "Make the token that the streamers push with";
            wantedBy = [ "multi-user.target" ];
            wants = [ "grafana.service" ];
            after = [ "grafana.service" ];
            unitConfig.ConditionPathExists = "!${streamer.tokenFile}";
            path = [
              pkgs.curl
              pkgs.jq
            ];
            environment = {
              GRAFANA_URL = "http://127.0.0.1:${toString cfg.port}";
              TOKEN_FILE = streamer.tokenFile;
            };
            serviceConfig = import ./grafana/sandbox.nix // {
              Type = "oneshot";
              LoadCredential = "admin-password:${cfg.adminPasswordFile}";
              ReadWritePaths = [ (dirOf streamer.tokenFile) ];
              Restart = "on-failure";
              RestartSec = 30;
            };
            script = builtins.readFile ./grafana/push-token.sh;
          };
        };
      })
    ]
  );
}
