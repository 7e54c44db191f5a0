# How a node joins the cluster: its role, and the server that it joins.
{ config, lib, ... }:
let
  types = lib.types // import ../types.nix { inherit lib; };
  cfg = config.rk1.k3s;
  isServer = cfg.role == "server";
  hasAgentToken = cfg.agentTokenFile != null;
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
        Whether this server creates the cluster, with embedded etcd. Set it on the first server only.
      '';
    };

    serverAddr = lib.mkOption {
      type = types.nullOr (types.strMatching "https://[^[:space:]]+:[0-9]+");
      default = null;
      example = "https://192.0.2.11:6443";
      description = "URL of the server through which the node joins the cluster.";
    };

    tokenFile = lib.mkOption {
      type = types.secretFile;
      description = ''
        File on the node with the token with which servers join. It gets there when the node is flashed, never through the
        Nix store. Whoever has it is an administrator of the cluster.
      '';
      example = "/var/lib/rk1/secrets/k3s-token";
    };

    agentTokenFile = lib.mkOption {
      type = types.nullOr types.secretFile;
      default = null;
      description = ''
        File on the node with the token with which agents join, on servers and on agents. Null means that agents join with the
        token of servers.
      '';
      example = "/var/lib/rk1/secrets/k3s-agent-token";
    };
  };

  config = lib.mkIf cfg.enable {
    services.k3s = {
      inherit (cfg) role clusterInit;
      # An agent has no file with the token of servers.
      tokenFile = if isServer || !hasAgentToken then cfg.tokenFile else cfg.agentTokenFile;
      agentTokenFile = lib.mkIf (isServer && hasAgentToken) cfg.agentTokenFile;
      serverAddr = lib.mkIf (cfg.serverAddr != null) cfg.serverAddr;
    };

    assertions = [
      {
        assertion = cfg.agentTokenFile != cfg.tokenFile;
        message = "rk1.k3s: tokenFile and agentTokenFile are both ${cfg.tokenFile}: give agents a token of their own, which makes none of them a server.";
      }
      {
        assertion = isServer -> (cfg.clusterInit != (cfg.serverAddr != null));
        message = "rk1.k3s: a server either creates the cluster or joins it: set clusterInit = true on the first server, and serverAddr on the others.";
      }
      {
        assertion = !isServer -> cfg.serverAddr != null;
        message = "rk1.k3s.serverAddr is not set, and an agent joins through a server: set it to a server's URL, such as `https://192.0.2.11:6443`.";
      }
      {
        assertion = !isServer -> !cfg.clusterInit;
        message = "rk1.k3s: an agent cannot create a cluster: remove clusterInit, or set role = \"server\".";
      }
      {
        assertion =
          cfg.serverAddr == null || !lib.hasPrefix "https://${config.rk1.network.ipv4}:" cfg.serverAddr;
        message = "rk1.k3s.serverAddr (${toString cfg.serverAddr}) is this node's own URL: set it to another server.";
      }
    ];
  };
}
