# The node's interface, its address, router, DNS and time servers.
{ config, lib, ... }:
let
  types = lib.types // import ./types.nix { inherit lib; };
  cfg = config.rk1.network;

  hasVlan = cfg.vlan != null;
  vlanName = "vlan${toString cfg.vlan}";

  # `Kind=!*` excludes virtual interfaces: the pods' veth pairs belong to Cilium.
  wired =
    (
      if cfg.macAddress != null then
        { PermanentMACAddress = cfg.macAddress; }
      else
        { Name = cfg.interface; }
    )
    // {
      Type = "ether";
      Kind = "!*";
    };

  mtu = lib.optionalAttrs (cfg.mtu != null) { MTUBytes = toString cfg.mtu; };

  # The network that has the node's address.
  addressed = {
    address = lib.mkIf (!cfg.dhcp) [ cfg.address ];
    gateway = lib.mkIf (!cfg.dhcp) [ cfg.gateway ];
    dns = cfg.nameservers;
    domains = cfg.searchDomains;
    routes = map (route: {
      Destination = route.to;
      Gateway = route.via;
    }) cfg.routes;
    networkConfig = {
      DHCP = if cfg.dhcp then "ipv4" else "no";
      LLDP = true;
      # Servers answer to their DNS names only.
      LLMNR = lib.mkDefault false;
      MulticastDNS = lib.mkDefault false;
    };
    # Of the lease, the address and the router count. Names and times come from the servers above. The reservation is found
    # by the MAC address, which a reinstalled node keeps.
    dhcpV4Config = lib.mkIf cfg.dhcp {
      ClientIdentifier = "mac";
      UseDNS = false;
      UseNTP = false;
      UseHostname = false;
    };
  };
in
{
  options.rk1.network = {
    interface = lib.mkOption {
      type = types.interfacePattern;
      default = "e*";
      example = "end0";
      description = ''
        Name of the wired interface, as a pattern of {manpage}`systemd.network(5)`. The kernel's name for it depends on the
        device tree, so the default matches the name of any Ethernet interface. Name it on a node that has several.
      '';
    };

    macAddress = lib.mkOption {
      type = types.nullOr types.macAddress;
      default = null;
      example = "02:00:5e:10:00:01";
      description = "Permanent MAC address of the wired interface, instead of its name.";
    };

    vlan = lib.mkOption {
      type = types.nullOr (types.ints.between 1 4094);
      default = null;
      example = 42;
      description = ''
        Number of the VLAN that has the node's address. The wired interface itself then has none. `null` if the packets have
        no tag.
      '';
    };

    mtu = lib.mkOption {
      type = types.nullOr (types.ints.between 1280 9216);
      default = null;
      example = 9000;
      description = "Length of the longest packet, in bytes. `null` keeps that of the network device.";
    };

    dhcp = lib.mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = ''
        Whether a DHCP server assigns the IPv4 address and the router. The server must have reserved
        {option}`rk1.network.address` for the interface's MAC address: the other nodes know the node by this address.
      '';
    };

    routes = lib.mkOption {
      type = types.listOf (
        types.submodule {
          options = {
            to = lib.mkOption {
              type = types.ipNetwork;
              description = "The network that the route leads to.";
              example = "198.51.100.0/24";
            };
            via = lib.mkOption {
              type = types.ipAddress;
              description = "The router, in the node's network.";
              example = "192.0.2.254";
            };
          };
        }
      );
      default = [ ];
      example = [
        {
          to = "198.51.100.0/24";
          via = "192.0.2.254";
        }
      ];
      description = "Routes in addition to that of the gateway.";
    };

    searchDomains = lib.mkOption {
      type = types.listOf types.domainName;
      default = [ ];
      example = [ "home.arpa" ];
      description = "Domains that names of one label are looked up in.";
    };

    address = lib.mkOption {
      type = types.ipv4Interface;
      description = "IPv4 address of this node with the prefix length of its network.";
      example = "192.0.2.11/24";
    };

    ipv4 = lib.mkOption {
      type = types.ipv4Address;
      readOnly = true;
      default = builtins.head (lib.splitString "/" cfg.address);
      defaultText = lib.literalMD "{option}`rk1.network.address` without its prefix length";
      description = "IPv4 address of this node without the prefix length.";
      example = "192.0.2.11";
    };

    gateway = lib.mkOption {
      type = types.ipv4Address;
      description = "IPv4 address of the router, the node's default gateway.";
      example = "192.0.2.1";
    };

    nameservers = lib.mkOption {
      type = types.nonEmptyListOf types.ipv4Address;
      description = "IPv4 addresses of the DNS servers that the node asks.";
      example = [ "192.0.2.1" ];
    };

    timeServers = lib.mkOption {
      type = types.listOf (types.either types.ipAddress types.domainName);
      default = [ ];
      description = "NTP servers that the node asks. An empty list keeps NixOS's servers.";
      example = [ "192.0.2.1" ];
    };
  };

  config = {
    networking = {
      useNetworkd = true;
      useDHCP = false;
      inherit (cfg) nameservers;
      timeServers = lib.mkIf (cfg.timeServers != [ ]) cfg.timeServers;
    };

    systemd.network = {
      enable = true;

      netdevs = lib.mkIf hasVlan {
        "10-rk1" = {
          netdevConfig = {
            Name = vlanName;
            Kind = "vlan";
          }
          // mtu;
          vlanConfig.Id = cfg.vlan;
        };
      };

      # The name stays the same with and without a VLAN, so that other modules add to the network that has the address.
      networks = lib.mkMerge [
        { "10-rk1" = addressed; }
        (lib.mkIf (!hasVlan) {
          "10-rk1" = {
            matchConfig = wired;
            linkConfig = mtu;
          };
        })
        (lib.mkIf hasVlan {
          "10-rk1".matchConfig.Name = vlanName;
          "10-rk1-wired" = {
            matchConfig = wired;
            linkConfig = mtu;
            vlan = [ vlanName ];
            networkConfig = {
              DHCP = "no";
              IPv6AcceptRA = false;
              LinkLocalAddressing = "no";
              LLDP = true;
            };
          };
        })
      ];

      wait-online.anyInterface = lib.mkDefault true;
    };
  };
}
