# The node's address, its firewall, and a kernel that lets Cilium route.
{ config, lib, ... }:
let
  types = lib.types // import ./types.nix { inherit lib; };
  cfg = config.rk1.network;
  isServer = config.rk1.k3s.role == "server";
in
{
  options.rk1.network = {
    interface = lib.mkOption {
      type = types.strMatching "[a-z0-9*?!]+";
      default = "e*";
      example = "end0";
      description = "Name of the wired interface, as a pattern of systemd.network(5). The kernel's name for it depends on the device tree, so the default matches any Ethernet name.";
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
      type = types.nonEmptyListOf (types.either types.ipv4Address types.domainName);
      description = "NTP servers of the node.";
      example = [ "0.pool.ntp.org" ];
    };
  };

  config = {
    networking = {
      useNetworkd = true;
      useDHCP = false;
      inherit (cfg) nameservers timeServers;

      # Cilium adds its chains through iptables; the nftables firewall would flush them when it reloads.
      nftables.enable = false;
      firewall = {
        enable = true;
        # A pod's packet leaves by another interface than the one its answer comes in by.
        checkReversePath = false;
        # 4240 Cilium's health checks, 4244 Hubble, 10250 kubelet; 2379-2380 etcd, 6443 the API.
        # BGP needs none: Cilium dials the router.
        allowedTCPPorts = [
          4240
          4244
          10250
        ]
        ++ lib.optionals isServer [
          2379
          2380
          6443
        ];
        # VXLAN between the nodes
        allowedUDPPorts = [ 8472 ];
      };
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
      # Or a restart of networkd would take Cilium's routes and rules away.
      config.networkConfig = {
        ManageForeignRoutes = false;
        ManageForeignRoutingPolicyRules = false;
      };
      wait-online.anyInterface = true;
    };

    boot.kernel.sysctl = {
      "net.ipv4.conf.all.forwarding" = 1;
      # The stricter of `all` and the interface's own value holds, so both are off.
      "net.ipv4.conf.all.rp_filter" = 0;
      "net.ipv4.conf.default.rp_filter" = 0;
      "net.ipv4.conf.lxc*.rp_filter" = 0;
      # Each pod's runtime watches files; the defaults run out at some dozens of pods.
      "fs.inotify.max_user_instances" = 8192;
      "fs.inotify.max_user_watches" = 524288;
    };
  };
}
