{
  rk1-01 = {
    imports = [ ../../../../hosts/rk1-01.nix ];
    rk1.streamer.interfaces = [ "end0:1" ];
  };
}
