{
  rk1-01 =
    { pkgs, ... }:
    {
      imports = [ ../../../../hosts/rk1-01.nix ];
      environment.systemPackages = [ pkgs.kubernetes-controller ];
    };
}
