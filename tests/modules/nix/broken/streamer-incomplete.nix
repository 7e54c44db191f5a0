{
  rk1-01 =
    { lib, ... }:
    {
      imports = [ ../../../../hosts/rk1-01.nix ];
      rk1.streamer = {
        url = lib.mkForce null;
        tokenFile = lib.mkForce null;
        interfaces = [
          "end0"
          "end0"
          "enp1s0f0np0.100"
        ];
        privacy.addresses = "hash";
        hook = "xdp";
        direction = "both";
        write.enable = true;
      };
    };
}
