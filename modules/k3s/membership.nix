# How a node belongs to the cluster: as what, and by whom it gets in.
{ config, lib, ... }:
let
  types = lib.types // import ../types.nix { inherit lib; };
  cfg = config.rk1.k3s;
  isServer = cfg.role == "server";
in
{
  options.rk1.k3s = {
    role = lib.mkOption {
      type = types.enum [
        "server"
        "agent"
      ];
      description = "Whether the node runs the control plane (`server`) or only workloads (`agent`).";
      example = "agent";
    };

    clusterInit = lib.mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = ''
        Whether this server starts the cluster, with etcd embedded. True on the first server alone.
      '';
    };

    serverAddr = lib.mkOption {
      type = types.nullOr (types.strMatching "https://[^[:space:]]+:[0-9]+");
      default = null;
      example = "https://192.0.2.11:6443";
      description = "Server that the node joins by.";
    };

    tokenFile = lib.mkOption {
      type = types.secretFile;
      description = ''
        File on the node that holds the cluster's token. Put there at flash time; never in the store.
      '';
      example = "/var/lib/rk1/secrets/k3s-token";
    };
  };

  config = lib.mkIf cfg.enable {
    services.k3s = {
      inherit (cfg) role clusterInit tokenFile;
      serverAddr = lib.mkIf (cfg.serverAddr != null) cfg.serverAddr;
    };

    assertions = [
      {
        assertion = isServer -> (cfg.clusterInit != (cfg.serverAddr != null));
        message = "rk1.k3s: a server either starts the cluster or joins one: set clusterInit = true on the first server and serverAddr on the others.";
      }
      {
        assertion = !isServer -> cfg.serverAddr != null;
        message = "rk1.k3s: an agent joins a cluster: set serverAddr to a server, such as `https://192.0.2.11:6443`.";
      }
      {
        assertion = !isServer -> !cfg.clusterInit;
        message = "rk1.k3s: an agent cannot start a cluster: remove clusterInit, or set role = \"server\".";
      }
      {
        assertion =
          cfg.serverAddr == null || !lib.hasPrefix "https://${config.rk1.network.ipv4}:" cfg.serverAddr;
        message = "rk1.k3s.serverAddr (${toString cfg.serverAddr}) is this node: set it to another server.";
      }
    ];
  };
}
