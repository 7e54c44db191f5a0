# The streamer's options: what `xdp-streamer run` takes.
{ lib, types }:
{
  enable = lib.mkOption {
    type = types.bool;
    default = false;
    example = true;
    description = "Whether the node shows the packets that it receives in Grafana.";
  };

  interfaces = lib.mkOption {
    type = types.listOf types.interfaceName;
    default = [ ];
    example = [ "end0" ];
    description = ''
      Interfaces to listen on, an instance of the streamer each. None means the one that has the node's address,
      whatever its name is.
    '';
  };

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

  budget = lib.mkOption {
    type = types.ints.between 1 100000;
    default = 500;
    example = 2000;
    description = "Packets shown a second. More are sampled evenly; totals stay exact.";
  };

  interval = lib.mkOption {
    type = types.ints.between 200 1000;
    default = 250;
    example = 500;
    description = "Milliseconds between two pushes.";
  };

  talkers = lib.mkOption {
    type = types.ints.between 0 100;
    default = 10;
    example = 0;
    description = "Largest flows told each second. 0 saves the kernel the adding up.";
  };

  hook = lib.mkOption {
    type = types.enum [
      "xdp"
      "tcx"
    ];
    default = "xdp";
    example = "tcx";
    description = "The kernel's hook. `tcx` is for interfaces that have another XDP program, such as Cilium's.";
  };

  xdpMode = lib.mkOption {
    type = types.enum [
      "auto"
      "driver"
      "generic"
    ];
    default = "generic";
    example = "driver";
    description = ''
      Mode of the XDP hook. `driver` is faster, but the RK1's own network driver (stmmac) restarts the device when a
      program comes or goes: the node is off the network for a moment. `auto` tries `driver` first.
    '';
  };

  metricsPort = lib.mkOption {
    type = types.nullOr types.port;
    default = 9469;
    example = 9470;
    description = ''
      Port on loopback of Prometheus' metrics. Each further interface has the next one. Null serves none.
    '';
  };

  privacy = {
    addresses = lib.mkOption {
      type = types.enum [
        "whole"
        "truncate"
        "hash"
      ];
      default = "whole";
      example = "truncate";
      description = ''
        How IP addresses are shown: whole, cut to /24 and /48, or hashed with a key. Whoever may open the dashboard sees
        them.
      '';
    };

    hashKeyFile = lib.mkOption {
      type = types.nullOr types.secretFile;
      default = null;
      example = "/var/lib/rk1/secrets/hash-key";
      description = "File on the node that holds the key of hashed addresses, 16 bytes or more.";
    };

    macs = lib.mkOption {
      type = types.enum [
        "whole"
        "vendor"
      ];
      default = "whole";
      example = "vendor";
      description = "How MAC addresses are shown: whole, or the vendor's half.";
    };

    ports = lib.mkOption {
      type = types.bool;
      default = true;
      example = false;
      description = "Whether ports are shown.";
    };
  };
}
