# What every node knows of the cluster: its name, its domain and who is in it.
{ config, lib, ... }:
let
  types = lib.types // import ./types.nix { inherit lib; };
  cfg = config.rk1.cluster;
  hostName = config.networking.hostName;
  addresses = builtins.attrValues cfg.nodes;
in
{
  options.rk1.cluster = {
    name = lib.mkOption {
      type = types.hostName;
      description = ''
        Name of the cluster. It marks what belongs to this cluster, such as the images' filesystems.
      '';
      example = "turing-pi";
    };

    domain = lib.mkOption {
      type = types.domainName;
      description = "Domain that the nodes' names and the cluster's public names lie in.";
      example = "example.org";
    };

    nodes = lib.mkOption {
      type = types.attrsOf types.ipv4Address;
      description = ''
        Every node's address by its name, this node included. The names go to `/etc/hosts`, so that the nodes find
        each other without DNS.
      '';
      example = {
        rk1-01 = "192.0.2.11";
        rk1-02 = "192.0.2.12";
      };
    };
  };

  config = {
    networking.domain = cfg.domain;

    networking.hosts = lib.mapAttrs' (name: address: {
      name = address;
      value = [
        "${name}.${cfg.domain}"
        name
      ];
    }) cfg.nodes;

    assertions = [
      {
        assertion = cfg.nodes ? ${hostName};
        message = "rk1.cluster.nodes does not list this host, `${hostName}`: add it there with its address, or correct networking.hostName.";
      }
      {
        assertion = lib.allUnique addresses;
        message = "rk1.cluster.nodes gives one address to two nodes (${lib.concatStringsSep ", " addresses}): give each node an address of its own.";
      }
      {
        assertion = cfg.nodes ? ${hostName} -> cfg.nodes.${hostName} == config.rk1.network.ipv4;
        message = "rk1.network.address (${config.rk1.network.address}) is not the address that rk1.cluster.nodes gives to `${hostName}`: make the two agree.";
      }
    ];
  };
}
