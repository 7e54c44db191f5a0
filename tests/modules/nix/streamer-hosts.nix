# Four ways of having the streamer: as rendered, on named interfaces with private addresses, with a Grafana of the
# cluster's own, and with files of whole packets.
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

  rk1-04 = {
    imports = [ ../../../hosts/rk1-04.nix ];
    rk1.streamer = {
      direction = "both";
      filter = "udp or host 192.0.2.1";
      allMulticast = true;
      write = {
        enable = true;
        snaplen = 96;
        rotate = "1h";
        keep = 24;
      };
    };
  };
}
