{
  rk1-02 =
    { lib, ... }:
    {
      imports = [ ../../../../hosts/rk1-02.nix ];
      rk1.k3s.serverAddr = lib.mkForce "https://172.16.10.222:6443";
    };
}
