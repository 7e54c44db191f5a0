# Options of where the streamer's rows and metrics go.
{ lib, ... }:
let
  types = lib.types // import ../types.nix { inherit lib; };
in
{
  options.rk1.streamer = {
    url = lib.mkOption {
      type = types.nullOr types.httpUrl;
      default = null;
      example = "https://grafana.example.org";
      description = ''
        URL of Grafana, to which the streamer adds the path of its stream. Plain HTTP is for private networks; the streamer
        refuses it elsewhere.
      '';
    };

    tokenFile = lib.mkOption {
      type = types.nullOr types.secretFile;
      default = null;
      example = "/var/lib/rk1/secrets/grafana-token";
      description = ''
        File on the node with the token of a service account that may push. It gets there when the node is flashed, never
        through the Nix store. A new token takes effect at once.
      '';
    };

    stream = lib.mkOption {
      type = types.streamName;
      default = "rk1";
      example = "turing-pi";
      description = ''
        First part of the streams' names in Grafana Live. The node's name follows, and the interface's name if
        {option}`rk1.streamer.interfaces` is set.
      '';
    };

    interval = lib.mkOption {
      type = types.ints.between 200 1000;
      default = 250;
      example = 500;
      description = "Time between two pushes, in milliseconds.";
    };

    metricsPort = lib.mkOption {
      type = types.nullOr types.port;
      default = 9469;
      example = 9470;
      description = ''
        TCP port of the Prometheus metrics, on the loopback address. Each further interface uses the next port. Null serves
        no metrics.
      '';
    };
  };
}
