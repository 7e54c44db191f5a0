# The node's place in its network.
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
        Name of the wired interface, as a pattern of systemd.network(5). The kernel's name for it depends on the
        device tree, so the default matches any Ethernet name.
      '';
    };

    address = lib.mkOption {
      type = types.ipv4Interface;
      description = "Address of this node with the length of its network's prefix.";
      example = "192.0.2.11/24";
    };

    ipv4 = lib.mkOption {
      type = types.ipv4Address;
      readOnly = true;
      default = builtins.head (lib.splitString "/" cfg.address);
      defaultText = lib.literalMD "{option}`rk1.network.address` without its prefix length";
      description = "Address of this node alone.";
      example = "192.0.2.11";
    };

    gateway = lib.mkOption {
      type = types.ipv4Address;
      description = "Router of the nodes' network.";
      example = "192.0.2.1";
    };

    nameservers = lib.mkOption {
      type = types.nonEmptyListOf types.ipv4Address;
      description = "DNS servers of the node.";
      example = [ "192.0.2.1" ];
    };

    timeServers = lib.mkOption {
      type = types.listOf (types.either types.ipAddress types.domainName);
      default = [ ];
      description = "NTP servers of the node. None means NixOS's own choice.";
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
        # `Kind=!*` leaves out virtual interfaces: a pod's veth is Cilium's.
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
        };
      };
      wait-online.anyInterface = true;
    };
  };
}
