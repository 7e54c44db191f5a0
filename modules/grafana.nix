# Grafana with the dashboard on one node, and the streamers of all nodes configured to push to it.
{ config, lib, ... }:
let
  cfg = config.rk1.grafana;
  streamer = config.rk1.streamer;
  nodes = config.rk1.cluster.nodes;
  isNode = nodes ? ${cfg.node};
in
{
  imports = [
    ./grafana/options.nix
    ./grafana/push-token.nix
    ./grafana/secrets.nix
    ./grafana/server.nix
  ];

  config = lib.mkIf (cfg.node != null) {
    rk1.streamer = {
      url = lib.mkDefault cfg.url;
      tokenFile = lib.mkDefault "${config.rk1.secrets.directory}/grafana-token";
    };

    assertions = [
      {
        assertion = isNode;
        message = "rk1.grafana.node is `${cfg.node}`, which is not a node of the cluster: set it to one of ${lib.concatStringsSep ", " (builtins.attrNames nodes)}.";
      }
      {
        assertion = isNode && streamer.enable -> streamer.url == cfg.url;
        message = "rk1.grafana is at ${cfg.url}, but the streamer pushes to ${toString streamer.url}: write `url = \"${cfg.url}\"` under `[streamer]` in cluster.toml, or remove rk1.grafana.node.";
      }
    ];
  };
}
