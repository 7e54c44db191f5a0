# The ports of a node. BGP needs none: Cilium connects to the router.
#
# Only the API server is open to everyone who can reach the node. The ports between nodes are open to the nodes, and to
# the pods, which reach the kubelet and Hubble of their own node by their own addresses. Cilium's NodePorts and
# LoadBalancer addresses are served before packets reach this firewall.
{ config, lib, ... }:
let
  inherit (config.rk1) cluster ipv6 k3s;
  isServer = k3s.role == "server";

  port = {
    etcdClient = 2379;
    etcdPeer = 2380;
    api = 6443;
    kubelet = 10250;
    health = 4240;
    hubble = 4244;
    vxlan = 8472;
  };

  ofServers = lib.filterAttrs (name: _: lib.elem name cluster.servers);
  sources = {
    iptables = {
      nodes = builtins.attrValues cluster.nodes;
      servers = builtins.attrValues (ofServers cluster.nodes);
      pods = [ k3s.podCidr ];
    };
  }
  // lib.optionalAttrs ipv6.enable {
    ip6tables = {
      nodes = builtins.attrValues ipv6.nodes;
      servers = builtins.attrValues (ofServers ipv6.nodes);
      pods = [ ipv6.podCidr ];
    };
  };

  # Rules of one protocol and some ports, for each source, in both address families.
  accept =
    {
      from,
      protocol,
      ports,
    }:
    lib.concatMapStrings (
      program:
      lib.concatMapStrings (source: ''
        ${program} -A nixos-fw -p ${protocol} -s ${source} -m multiport --dports ${
          lib.concatMapStringsSep "," toString ports
        } -j nixos-fw-accept
      '') (from sources.${program})
    ) (builtins.attrNames sources);
in
{
  networking.firewall = {
    enable = lib.mkDefault true;
    allowedTCPPorts = lib.optional (k3s.enable && isServer) port.api;
    extraCommands = lib.mkIf k3s.enable (
      lib.optionalString isServer (accept {
        from = source: source.servers;
        protocol = "tcp";
        ports = [
          port.etcdClient
          port.etcdPeer
        ];
      })
      + accept {
        from = source: source.nodes ++ source.pods;
        protocol = "tcp";
        ports = [
          port.kubelet
          port.health
          port.hubble
        ];
      }
      + accept {
        from = source: source.nodes;
        protocol = "udp";
        ports = [ port.vxlan ];
      }
    );
  };
}
