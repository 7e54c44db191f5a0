# What Cilium needs of its host: it routes the pods itself, in the kernel, beside what NixOS sets up.
{
  # Its containers cannot load modules of a kernel that they do not see. The proxy redirects with TPROXY and
  # finds sockets by xt_socket; the datapath hangs on clsact and VXLAN. Envoy needs a kernel with
  # CONFIG_ARM64_VA_BITS_48: nixpkgs' kernels have it, many vendors' RK3588 kernels do not.
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
