# Three ways of having the streamer: as rendered, on named interfaces with all that can be asked for, and with a Grafana
# of the cluster's own.
{
  rk1-01 = ../../../hosts/rk1-01.nix;

  rk1-02 = {
    imports = [ ../../../hosts/rk1-02.nix ];
    rk1.streamer = {
      interfaces = [
        "end0"
        "end0.100"
      ];
      talkers = 0;
      hook = "tcx";
      metricsPort = null;
      privacy = {
        addresses = "hash";
        hashKeyFile = "/var/lib/rk1/secrets/hash-key";
        macs = "vendor";
        ports = false;
      };
    };
  };

  rk1-03 =
    { lib, ... }:
    {
      imports = [ ../../../hosts/rk1-03.nix ];
      rk1.grafana.node = "rk1-03";
      rk1.streamer.hook = "xdp";
      rk1.streamer.url = lib.mkForce "http://172.16.10.223:3000";
    };
}
