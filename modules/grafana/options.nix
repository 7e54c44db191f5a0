# What can be said of the cluster's own Grafana.
{ config, lib, ... }:
let
  types = lib.types // import ../types.nix { inherit lib; };
  cfg = config.rk1.grafana;
  streamer = config.rk1.streamer;
  inherit (config.rk1.cluster) nodes;
  secrets = config.rk1.secrets.directory;
  # Of a node that is none, an assertion tells.
  address = nodes.${cfg.node} or "0.0.0.0";
  streamsOf =
    host:
    map (instance: instance.stream) (
      import ../xdp-streamer/instances.nix {
        inherit lib host;
        inherit (streamer) interfaces stream;
      }
    );
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
      default = "${secrets}/grafana-admin-password";
      defaultText = lib.literalMD "`grafana-admin-password` in {option}`rk1.secrets.directory`";
      example = "/var/lib/rk1/secrets/grafana-admin-password";
      description = "File with the password of the user `admin`. Made at the first start where it is missing.";
    };

    secretKeyFile = lib.mkOption {
      type = types.secretFile;
      default = "${secrets}/grafana-secret-key";
      defaultText = lib.literalMD "`grafana-secret-key` in {option}`rk1.secrets.directory`";
      example = "/var/lib/rk1/secrets/grafana-secret-key";
      description = "File with the key that Grafana's database is encrypted with. Made at the first start.";
    };

    streams = lib.mkOption {
      type = types.nonEmptyListOf types.str;
      default = lib.concatMap streamsOf (builtins.attrNames nodes);
      defaultText = lib.literalMD "every node's streams, named as on this node";
      example = [ "rk1-rk1-01" ];
      description = "Streams that the dashboard offers.";
    };
  };
}
