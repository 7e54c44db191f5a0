# The node's address, router, DNS and time servers.
{ config, lib, ... }:
let
  types = lib.types // import ./types.nix { inherit lib; };
  cfg = config.rk1.network;
in
{
  options.rk1.network = {
    interface = lib.mkOption {
      type = types.strMatching "[a-z0-9*?!]+";
      default = "e*";
      example = "end0";
      description = ''
        Name of the wired interface, as a pattern of {manpage}`systemd.network(5)`. The kernel's name for it depends on the
        device tree, so the default matches the name of any Ethernet interface.
      '';
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
      networks."10-rk1" = {
        # `Kind=!*` excludes virtual interfaces: the pods' veth pairs belong to Cilium.
        matchConfig = {
          Name = cfg.interface;
          Type = "ether";
          Kind = "!*";
        };
        address = [ cfg.address ];
        gateway = [ cfg.gateway ];
        dns = cfg.nameservers;
        networkConfig = {
          DHCP = "no";
          LLDP = true;
          # Servers answer to their DNS names only.
          LLMNR = lib.mkDefault false;
          MulticastDNS = lib.mkDefault false;
        };
      };
      wait-online.anyInterface = lib.mkDefault true;
    };
  };
}
