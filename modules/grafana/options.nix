# Options of the cluster's own Grafana.
{ config, lib, ... }:
let
  types = lib.types // import ../types.nix { inherit lib; };
  cfg = config.rk1.grafana;
  streamer = config.rk1.streamer;
  inherit (config.rk1.cluster) nodes;
  secrets = config.rk1.secrets.directory;
  # An assertion reports a node that is not in the cluster.
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
        Node that runs Grafana, which shows the packets of all nodes. Set this on every node, because it determines where
        their streamers push to. Null means that Grafana runs elsewhere.
      '';
    };

    port = lib.mkOption {
      type = types.port;
      default = 3000;
      example = 8080;
      description = "TCP port that Grafana listens on. The firewall of its node opens it.";
    };

    url = lib.mkOption {
      type = types.nullOr types.httpUrl;
      default = if cfg.node == null then null else "http://${address}:${toString cfg.port}";
      defaultText = lib.literalMD "the node's address and {option}`rk1.grafana.port`, with plain HTTP";
      example = "https://grafana.example.org";
      description = ''
        URL of Grafana for browsers and streamers. With plain HTTP, tokens and passwords cross the nodes' network
        unencrypted. If a gateway serves Grafana with TLS, set the gateway's URL.
      '';
    };

    adminPasswordFile = lib.mkOption {
      type = types.secretFile;
      default = "${secrets}/grafana-admin-password";
      defaultText = lib.literalMD "`grafana-admin-password` in {option}`rk1.secrets.directory`";
      example = "/var/lib/rk1/secrets/grafana-admin-password";
      description = "File with the password of the user `admin`. It is created at the first start if it is missing.";
    };

    secretKeyFile = lib.mkOption {
      type = types.secretFile;
      default = "${secrets}/grafana-secret-key";
      defaultText = lib.literalMD "`grafana-secret-key` in {option}`rk1.secrets.directory`";
      example = "/var/lib/rk1/secrets/grafana-secret-key";
      description = "File with the key that encrypts secrets in Grafana's database. It is created at the first start if it is missing.";
    };

    streams = lib.mkOption {
      type = types.nonEmptyListOf types.str;
      default = lib.concatMap streamsOf (builtins.attrNames nodes);
      defaultText = lib.literalMD "the streams of every node, with the names that this node's settings give";
      example = [ "rk1-rk1-01" ];
      description = "Streams that the dashboard lists.";
    };
  };
}
