# What can be said of the second address family.
{ lib, ... }:
let
  types = lib.types // import ../types.nix { inherit lib; };
in
{
  options.rk1.ipv6 = {
    enable = lib.mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = ''
        Whether nodes, pods and services have IPv6 addresses too. It cannot be turned on or off in a cluster that has
        been founded: k3s keeps the networks that it began with.
      '';
    };

    address = lib.mkOption {
      type = types.ipv6Interface;
      description = "IPv6 address of this node with the length of its network's prefix.";
      example = "2001:db8::11/64";
    };

    gateway = lib.mkOption {
      type = types.ipv6Address;
      description = "Router of the nodes' network, by its IPv6 address.";
      example = "2001:db8::1";
    };

    nodes = lib.mkOption {
      type = types.attrsOf types.ipv6Address;
      description = ''
        Every node's IPv6 address by its name, this node included, for `/etc/hosts`.
      '';
      example = {
        rk1-01 = "2001:db8::11";
        rk1-02 = "2001:db8::12";
      };
    };

    podCidr = lib.mkOption {
      type = types.ipv6Network;
      description = "IPv6 network of the pods, of which each node takes a /64.";
      example = "2001:db8:42::/56";
    };

    serviceCidr = lib.mkOption {
      type = types.ipv6Network;
      description = "IPv6 network of the services.";
      example = "2001:db8:43::/112";
    };
  };
}
