# IPv6 in a dual-stack cluster, in addition to the IPv4 settings of the other modules.
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
      # A router advertisement would give the node a second address, and Cilium would open its BGP sessions from it. The
      # routers accept the node's configured address only.
      networkConfig.IPv6AcceptRA = false;
    };

    # NixOS's firewall always accepts ICMPv6.
    boot.kernel.sysctl."net.ipv6.conf.all.forwarding" = 1;

    # A host that disables IPv6 elsewhere conflicts with this, and does not evaluate.
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
