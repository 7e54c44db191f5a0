# The ports of a node. BGP needs none: Cilium connects to the router.
#
# ssh is open to everyone who can reach the node, the API server to the networks that may use it. The ports between nodes
# are open to the nodes, and to the pods, which reach the kubelet and Hubble of their own node by their own addresses.
# Cilium's NodePorts and LoadBalancer addresses are served before packets reach this firewall.
{ config, lib, ... }:
let
  types = lib.types // import ./types.nix { inherit lib; };
  inherit (config.rk1)
    cluster
    ipv6
    k3s
    network
    ;
  cfg = config.rk1.firewall;
  isServer = k3s.role == "server";

  port = {
    etcdClient = 2379;
    etcdPeer = 2380;
    api = 6443;
    kubelet = 10250;
    health = 4240;
    hubble = 4244;
    vxlan = 8472;
    wireguard = 51871;
    registry = 5001;
  };

  ofServers = lib.filterAttrs (name: _: lib.elem name cluster.servers);
  isIpv6 = lib.hasInfix ":";
  sources = {
    iptables = {
      nodes = builtins.attrValues cluster.nodes;
      servers = builtins.attrValues (ofServers cluster.nodes);
      pods = [ k3s.podCidr ];
      apiClients = lib.filter (source: !isIpv6 source) cfg.apiClients;
    };
  }
  // lib.optionalAttrs ipv6.enable {
    ip6tables = {
      nodes = builtins.attrValues ipv6.nodes;
      servers = builtins.attrValues (ofServers ipv6.nodes);
      pods = [ ipv6.podCidr ];
      apiClients = lib.filter isIpv6 cfg.apiClients;
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
  options.rk1.firewall = {
    apiClients = lib.mkOption {
      type = types.listOf (types.either types.ipv4Network types.ipv6Network);
      default = [ network.address ] ++ lib.optional ipv6.enable ipv6.address;
      defaultText = lib.literalMD "the networks that the node is in";
      description = ''
        Networks from which a server's API can be reached, beside the nodes and the pods. `0.0.0.0/0` stands for everyone.
      '';
      example = [ "192.0.2.0/24" ];
    };

    nodeTcpPorts = lib.mkOption {
      type = types.listOf types.port;
      default = [ ];
      description = "Further TCP ports that nodes and pods can reach.";
      example = [ 5000 ];
    };

    nodeUdpPorts = lib.mkOption {
      type = types.listOf types.port;
      default = [ ];
      description = "Further UDP ports that nodes can reach, such as that of a tunnel.";
      example = [ 6081 ];
    };
  };

  config.networking.firewall = {
    enable = lib.mkDefault true;
    extraCommands = lib.mkIf k3s.enable (
      lib.optionalString isServer (
        accept {
          from = source: source.servers;
          protocol = "tcp";
          ports = [
            port.etcdClient
            port.etcdPeer
          ];
        }
        + accept {
          from = source: source.nodes ++ source.pods ++ source.apiClients;
          protocol = "tcp";
          ports = [ port.api ];
        }
      )
      + accept {
        from = source: source.nodes ++ source.pods;
        protocol = "tcp";
        ports = [
          port.kubelet
          port.health
          port.hubble
        ]
        ++ cfg.nodeTcpPorts;
      }
      # Nodes find each other's images by the API's port, agents included, and by libp2p.
      + lib.optionalString k3s.embeddedRegistry (accept {
        from = source: source.nodes;
        protocol = "tcp";
        ports = [ port.registry ] ++ lib.optional (!isServer) port.api;
      })
      + accept {
        from = source: source.nodes;
        protocol = "udp";
        ports = [
          port.vxlan
          # Open without encryption too: a cluster that turns it on must not wait for its last node.
          port.wireguard
        ]
        ++ cfg.nodeUdpPorts;
      }
    );
  };
}
