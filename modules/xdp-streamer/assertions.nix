# What the types of rk1.streamer cannot say: what belongs together.
{ config, lib, ... }:
let
  cfg = config.rk1.streamer;
  instances = import ./instances.nix {
    inherit lib;
    inherit (cfg) interfaces stream;
    host = config.networking.hostName;
  };
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.url != null;
        message = "rk1.streamer: nobody says where Grafana is: set url, such as `https://grafana.example.org`, or let a node run one with rk1.grafana.node.";
      }
      {
        assertion = cfg.tokenFile != null;
        message = "rk1.streamer: Grafana takes no rows without a token: set tokenFile to a file on the node, such as `/var/lib/rk1/secrets/grafana-token`.";
      }
      {
        assertion = cfg.privacy.addresses == "hash" -> cfg.privacy.hashKeyFile != null;
        message = "rk1.streamer.privacy: hashed addresses need a key: set hashKeyFile to a file on the node that holds 16 random bytes or more.";
      }
      {
        assertion = lib.allUnique cfg.interfaces;
        message = "rk1.streamer.interfaces names one interface twice: name each once.";
      }
      {
        assertion = lib.all (instance: lib.stringLength instance.stream <= 100) instances;
        message = "rk1.streamer.stream makes a stream's name longer than Grafana Live's 100 characters: shorten `${cfg.stream}`.";
      }
    ];
  };
}
