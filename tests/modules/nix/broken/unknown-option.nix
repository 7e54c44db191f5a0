{
  rk1-01 = {
    imports = [ ../../../../hosts/rk1-01.nix ];
    networking.firewall.allowTCPPorts = [ 80 ];
  };
}
