# Where the streamer's rows and metrics go.
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
        Where Grafana is. The stream is added to it. Plain http is for private networks: the daemon refuses it elsewhere.
      '';
    };

    tokenFile = lib.mkOption {
      type = types.nullOr types.secretFile;
      default = null;
      example = "/var/lib/rk1/secrets/grafana-token";
      description = ''
        File on the node that holds the token of a service account that may push. Put there at flash time; never in the
        store. A new token takes effect at once.
      '';
    };

    stream = lib.mkOption {
      type = types.streamName;
      default = "rk1";
      example = "turing-pi";
      description = ''
        Name of the streams in Grafana Live. The node's name is added, and the interface's where interfaces are named.
      '';
    };

    interval = lib.mkOption {
      type = types.ints.between 200 1000;
      default = 250;
      example = 500;
      description = "Milliseconds between two pushes.";
    };

    metricsPort = lib.mkOption {
      type = types.nullOr types.port;
      default = 9469;
      example = 9470;
      description = ''
        Port on loopback of Prometheus' metrics. Each further interface has the next one. Null serves none.
      '';
    };
  };
}
