# Options of the IPv6 settings.
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
        Whether nodes, pods and services have IPv6 addresses as well. An existing cluster cannot change this: k3s keeps
        the networks that it was created with.
      '';
    };

    address = lib.mkOption {
      type = types.ipv6Interface;
      description = "IPv6 address of this node with the prefix length of its network.";
      example = "2001:db8::11/64";
    };

    gateway = lib.mkOption {
      type = types.ipv6Address;
      description = "IPv6 address of the router, the node's default gateway.";
      example = "2001:db8::1";
    };

    nodes = lib.mkOption {
      type = types.attrsOf types.ipv6Address;
      description = ''
        IPv6 address of every node by its name, this node included. The names are written to `/etc/hosts`.
      '';
      example = {
        rk1-01 = "2001:db8::11";
        rk1-02 = "2001:db8::12";
      };
    };

    podCidr = lib.mkOption {
      type = types.ipv6Network;
      description = "IPv6 network of the pods. Each node takes a /64 of it.";
      example = "2001:db8:42::/56";
    };

    serviceCidr = lib.mkOption {
      type = types.ipv6Network;
      description = "IPv6 network of the services.";
      example = "2001:db8:43::/112";
    };
  };
}
