{
  rk1-01 = {
    imports = [ ../../../../hosts/rk1-01.nix ];
    systemd.services.k3s.servicesConfig.Restart = "no";
  };
}
