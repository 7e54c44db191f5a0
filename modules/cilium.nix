# What Cilium needs of its host: it routes the pods itself, in the kernel, beside what NixOS sets up.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (config.lib.kernelConfig) isEnabled isYes;
in
{
  # Its containers cannot load modules of a kernel that they do not see. The proxy redirects with TPROXY and
  # finds sockets by xt_socket; the datapath hangs on clsact and VXLAN.
  boot.kernelModules = [
    "br_netfilter"
    "cls_bpf"
    "overlay"
    "sch_ingress"
    "vxlan"
    "xt_CT"
    "xt_TPROXY"
    "xt_mark"
    "xt_socket"
  ];

  # Assertions for kernels that are not nixpkgs' own (nixos/modules/system/boot/kernel.nix). Envoy, which serves the
  # gateway, aborts where addresses have 39 bits, as on many vendors' RK3588 kernels.
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
    ++ lib.optional pkgs.stdenv.hostPlatform.isAarch64 (isYes "ARM64_VA_BITS_48");

  boot.kernel.sysctl = {
    "net.ipv4.conf.all.forwarding" = 1;
    # A pod's packet leaves by another interface than the one its answer comes in by. The stricter of `all` and
    # the interface's own value holds, so both are off.
    "net.ipv4.conf.all.rp_filter" = 0;
    "net.ipv4.conf.default.rp_filter" = 0;
    "net.ipv4.conf.lxc*.rp_filter" = 0;
    # Each pod's runtime watches files; the kernel's defaults run out at some dozens of pods.
    "fs.inotify.max_user_instances" = 524288;
    "fs.inotify.max_user_watches" = 524288;
  };

  networking = {
    # The same check once more, in the firewall (nixos-fw-rpfilter).
    firewall.checkReversePath = false;
    # Cilium adds its chains through iptables; the nftables firewall would flush them when it reloads.
    nftables.enable = false;
  };

  # Or a restart of networkd would take Cilium's routes and rules away.
  systemd.network.config.networkConfig = {
    ManageForeignRoutes = false;
    ManageForeignRoutingPolicyRules = false;
  };
}
