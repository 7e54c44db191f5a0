{
  rk1-04 =
    { lib, ... }:
    {
      imports = [ ../../../../hosts/rk1-04.nix ];
      rk1.k3s.serverAddr = lib.mkForce null;
    };
}
