# The second address family of a dual-stack cluster, beside what the other modules do for IPv4.
{ config, lib, ... }:
let
  cfg = config.rk1.ipv6;
  hostName = config.networking.hostName;
  addresses = builtins.attrValues cfg.nodes;
in
{
  imports = [ ./ipv6/options.nix ];

  config = lib.mkIf cfg.enable {
    systemd.network.networks."10-rk1" = {
      address = lib.mkAfter [ cfg.address ];
      gateway = lib.mkAfter [ cfg.gateway ];
      # A router that advertises itself would give the node a second address, and Cilium would dial the routers from
      # that: they know the node by this one alone.
      networkConfig.IPv6AcceptRA = false;
    };

    # The firewall needs nothing: NixOS opens its ports in both families, and always lets ICMPv6 in.
    boot.kernel.sysctl."net.ipv6.conf.all.forwarding" = 1;

    # Off somewhere else, it is a conflict.
    networking.enableIPv6 = true;

    networking.hosts = lib.mapAttrs' (name: address: {
      name = address;
      value = [
        "${name}.${config.rk1.cluster.domain}"
        name
      ];
    }) cfg.nodes;

    assertions = [
      {
        assertion =
          cfg.nodes ? ${hostName} && cfg.nodes.${hostName} == lib.head (lib.splitString "/" cfg.address);
        message = "rk1.ipv6.address (${cfg.address}) is not the address that rk1.ipv6.nodes gives to `${hostName}`: make the two agree.";
      }
      {
        assertion = lib.allUnique addresses;
        message = "rk1.ipv6.nodes gives one address to two nodes (${lib.concatStringsSep ", " addresses}): give each node an address of its own.";
      }
      {
        assertion = cfg.podCidr != cfg.serviceCidr;
        message = "rk1.ipv6: podCidr and serviceCidr are both ${cfg.podCidr}: give pods and services networks of their own.";
      }
    ];
  };
}
