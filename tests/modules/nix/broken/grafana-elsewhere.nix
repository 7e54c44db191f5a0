{
  rk1-01 = {
    imports = [ ../../../../hosts/rk1-01.nix ];
    rk1.grafana.node = "rk1-05";
  };
}
