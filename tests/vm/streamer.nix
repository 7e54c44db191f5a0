# The streamer's unit in a machine that boots: packets that it receives arrive as rows at a server, which is a stub
# that writes down what it is sent.
let
  token = "a-token-of-the-test";
  port = 8086;
in
{
  name = "rk1-streamer";

  nodes = {
    node =
      { pkgs, ... }:
      {
        imports = [ ../../modules/xdp-streamer.nix ];

        rk1.streamer = {
          enable = true;
          interfaces = [ "eth1" ];
          url = "http://server:${toString port}/api/live/push/rk1";
          tokenFile = "/var/lib/rk1/secrets/grafana-token";
        };
        systemd.tmpfiles.settings."10-test"."/var/lib/rk1/secrets/grafana-token".f = {
          mode = "0600";
          argument = token;
        };
      };

    server =
      { pkgs, ... }:
      {
        networking.firewall.allowedTCPPorts = [ port ];
        systemd.services.sink = {
          wantedBy = [ "multi-user.target" ];
          serviceConfig.ExecStart = "${pkgs.python3}/bin/python3 ${./sink.py} ${toString port} /var/log/rows";
        };
      };
  };

  testScript = ''
    server.start()
    server.wait_for_unit("sink.service")
    server.wait_for_open_port(${toString port})
    node.start()
    node.wait_for_unit("xdp-streamer.service")

    with subtest("what the node receives is shown"):
        server.succeed("ping -c 5 node")
        server.wait_until_succeeds("grep --fixed-strings packet_details /var/log/rows", timeout=30)
        server.wait_until_succeeds("grep --fixed-strings packet_rate /var/log/rows", timeout=30)
        server.succeed("grep --fixed-strings 'authorization: Bearer ${token}' /var/log/rows")

    with subtest("the token is no argument and no line of the journal"):
        # The brackets keep the search from finding itself.
        node.fail("ps -eo args | grep '[${builtins.substring 0 1 token}]${builtins.substring 1 99 token}'")
        node.fail("journalctl --unit xdp-streamer | grep --fixed-strings '${token}'")

    with subtest("nothing is left on the interface when it stops"):
        node.succeed("systemctl stop xdp-streamer.service")
        node.fail("ip link show dev eth1 | grep --fixed-strings xdp")
  '';
}
