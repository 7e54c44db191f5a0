# What every node knows of the cluster: its name, its domain and its nodes.
{ config, lib, ... }:
let
  types = lib.types // import ./types.nix { inherit lib; };
  cfg = config.rk1.cluster;
  hostName = config.networking.hostName;
  addresses = builtins.attrValues cfg.nodes;
  isServer = config.rk1.k3s.role == "server";
  unknownServers = lib.filter (name: !cfg.nodes ? ${name}) cfg.servers;
in
{
  options.rk1.cluster = {
    name = lib.mkOption {
      type = types.hostName;
      description = ''
        Name of the cluster. It distinguishes this cluster's filesystems and seeds from those of other clusters.
      '';
      example = "turing-pi";
    };

    domain = lib.mkOption {
      type = types.domainName;
      description = "Domain of the nodes' names and of the cluster's public names.";
      example = "example.org";
    };

    nodes = lib.mkOption {
      type = types.attrsOf types.ipv4Address;
      description = ''
        IPv4 address of every node by its name, this node included. The names are written to `/etc/hosts`, so that the
        nodes find each other without DNS.
      '';
      example = {
        rk1-01 = "192.0.2.11";
        rk1-02 = "192.0.2.12";
      };
    };

    servers = lib.mkOption {
      type = types.listOf types.hostName;
      default = builtins.attrNames cfg.nodes;
      defaultText = lib.literalMD "all nodes";
      description = "Names of the nodes that run the control plane. Only they reach each other's etcd.";
      example = [ "rk1-01" ];
    };
  };

  config = {
    networking.domain = lib.mkDefault cfg.domain;

    networking.hosts =
      lib.mapAttrs' (name: address: {
        name = address;
        value = [
          "${name}.${cfg.domain}"
          name
        ];
      }) cfg.nodes
      // {
        # NixOS lists the host's own name here. On a cluster, a node's name must mean its address in the network. The
        # option is a list, so nothing weaker than mkForce takes an entry out of it.
        "127.0.0.2" = lib.mkForce [ ];
      };

    assertions = [
      {
        assertion = cfg.nodes ? ${hostName};
        message = "rk1.cluster.nodes does not list this host, `${hostName}`: add it with its address, or correct networking.hostName.";
      }
      {
        assertion = lib.allUnique addresses;
        message = "rk1.cluster.nodes gives one address to two nodes (${lib.concatStringsSep ", " addresses}): give each node an address of its own.";
      }
      {
        assertion = cfg.nodes ? ${hostName} -> cfg.nodes.${hostName} == config.rk1.network.ipv4;
        message = "rk1.network.address (${config.rk1.network.address}) is not the address that rk1.cluster.nodes gives to `${hostName}`: make the two agree.";
      }
      {
        assertion = unknownServers == [ ];
        message = "rk1.cluster.servers lists ${lib.concatStringsSep ", " unknownServers}, missing from rk1.cluster.nodes: add the node there, or remove it here.";
      }
      {
        assertion = config.rk1.k3s.enable && isServer -> lib.elem hostName cfg.servers;
        message = "rk1.cluster.servers does not list `${hostName}`, whose rk1.k3s.role is `server`: add it there, or set the role to `agent`.";
      }
    ];
  };
}
