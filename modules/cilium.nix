# What Cilium needs from its host: it routes the pods' packets in the kernel, beside what NixOS configures.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (config.lib.kernelConfig) isEnabled isYes;
  cfg = config.rk1.cilium;
in
{
  options.rk1.cilium.encryption = lib.mkOption {
    type = lib.types.bool;
    default = true;
    example = false;
    description = ''
      Whether Cilium encrypts the pods' traffic between nodes. The kernel then needs WireGuard. The values of Cilium's chart
      turn it on.
    '';
  };

  config = {
    # Cilium's containers cannot load modules for the host's kernel. Its proxy uses TPROXY and xt_socket, its datapath
    # clsact, VXLAN and WireGuard.
    boot.kernelModules = [
      "br_netfilter"
      "cls_bpf"
      "overlay"
      "sch_ingress"
      "vxlan"
      "xt_CT"
      "xt_TPROXY"
      "xt_mark"
      "xt_multiport"
      "xt_socket"
    ]
    ++ lib.optional cfg.encryption "wireguard";

    # NixOS asserts these for kernels that are not nixpkgs' own (nixos/modules/system/boot/kernel.nix). Envoy, which serves
    # the gateway, aborts on kernels with 39-bit addresses, as many vendors build them for the RK3588.
    system.requiredKernelConfig =
      map isEnabled [
        "BPF_JIT"
        "BPF_SYSCALL"
        "CGROUP_BPF"
        "NET_CLS_ACT"
        "NET_CLS_BPF"
        "NET_SCH_INGRESS"
        "NETFILTER_XT_MATCH_SOCKET"
        "NETFILTER_XT_TARGET_TPROXY"
        "VXLAN"
      ]
      ++ lib.optional cfg.encryption (isEnabled "WIREGUARD")
      ++ lib.optional pkgs.stdenv.hostPlatform.isAarch64 (isYes "ARM64_VA_BITS_48");

    boot.kernel.sysctl = {
      "net.ipv4.conf.all.forwarding" = 1;
      # A pod's packets and their answers use different interfaces, which the reverse path filter would drop. The kernel
      # applies the stricter of `all` and the interface's own value, so both are off.
      "net.ipv4.conf.all.rp_filter" = 0;
      "net.ipv4.conf.default.rp_filter" = 0;
      "net.ipv4.conf.lxc*.rp_filter" = 0;
      # Every pod's runtime watches files. The kernel's defaults are used up by a few dozen pods.
      "fs.inotify.max_user_instances" = lib.mkDefault 524288;
      "fs.inotify.max_user_watches" = lib.mkDefault 524288;
    };

    networking = {
      # The firewall's own reverse path filter, off for the same reason.
      firewall.checkReversePath = false;
      # Cilium adds its chains with iptables. The nftables firewall would remove them whenever it reloads.
      nftables.enable = false;
    };

    # Otherwise a restart of systemd-networkd would remove Cilium's routes and rules.
    systemd.network.config.networkConfig = {
      ManageForeignRoutes = false;
      ManageForeignRoutingPolicyRules = false;
    };
  };
}
