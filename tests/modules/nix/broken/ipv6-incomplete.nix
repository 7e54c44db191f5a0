{
  rk1-01 = {
    imports = [ ../../../../hosts/rk1-01.nix ];
    rk1.ipv6 = {
      enable = true;
      address = "fd00:172:16:10::221/64";
      gateway = "fd00:172:16:10::1";
      podCidr = "fd00:10:42::/56";
      serviceCidr = "fd00:10:43::/112";
      nodes.rk1-02 = "fd00:172:16:10::222";
    };
  };
}
