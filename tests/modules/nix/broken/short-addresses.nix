{
  rk1-01 = {
    imports = [ ../../../../hosts/rk1-01.nix ];
    # A vendor's kernel, as many boards with an RK3588 have one.
    boot.kernelPackages.kernel.config = rec {
      isYes = option: option != "ARM64_VA_BITS_48";
      isEnabled = isYes;
    };
  };
}
