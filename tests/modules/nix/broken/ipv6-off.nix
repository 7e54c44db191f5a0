{
  rk1-01 = {
    imports = [ ../../../../examples/dual-stack/hosts/rk1-01.nix ];
    networking.enableIPv6 = false;
  };
}
