{
  rk1-01 =
    { lib, ... }:
    {
      imports = [ ../../../../hosts/rk1-01.nix ];
      rk1.k3s.tokenFile = lib.mkForce ./secret-in-store.nix;
    };
}
