# The streamer's unit in a machine that boots: packets that it receives arrive as rows at a server, which is a stub
# that writes down what it is sent.
let
  token = "a-token-of-the-test";
  file = "/var/lib/rk1/secrets/grafana-token";
  port = 8086;
in
{
  name = "rk1-streamer";

  nodes = {
    node = {
      imports = [ ../../../modules/xdp-streamer.nix ];
      rk1.streamer = {
        enable = true;
        interfaces = [ "eth1" ];
        url = "http://server:${toString port}";
        tokenFile = file;
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
    unit = "xdp-streamer-eth1.service"

    server.start()
    server.wait_for_unit("sink.service")
    server.wait_for_open_port(${toString port})
    node.start()

    with subtest("without its token the node boots all the same"):
        node.wait_for_unit("multi-user.target")
        node.fail(f"systemctl is-active --quiet {unit}")

    with subtest("the token is taken when it comes"):
        node.succeed("install -D --mode 0600 <(echo ${token}) ${file}")
        node.wait_for_unit(unit)

    with subtest("what the node receives is shown"):
        server.succeed("ping -c 5 node")
        server.wait_until_succeeds("grep --fixed-strings packet_details /var/log/rows", timeout=30)
        server.wait_until_succeeds("grep --fixed-strings packet_rate /var/log/rows", timeout=30)
        server.succeed("grep --fixed-strings 'authorization: Bearer ${token}' /var/log/rows")

    with subtest("it has three capabilities: network administration, performance monitoring, BPF"):
        status = node.succeed(f"cat /proc/$(systemctl show --property MainPID --value {unit})/status")
        for kind in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert f"{kind}:\t000000c000001000" in status, status

    with subtest("the token is no argument and no line of the journal"):
        # The brackets keep the search from finding itself.
        node.fail("ps -eo args | grep '[${builtins.substring 0 1 token}]${builtins.substring 1 99 token}'")
        node.fail(f"journalctl --unit {unit} | grep --fixed-strings '${token}'")

    with subtest("a new token takes effect"):
        node.succeed("echo another-token > ${file}")
        server.wait_until_succeeds("grep --fixed-strings 'Bearer another-token' /var/log/rows", timeout=30)

    with subtest("nothing is left on the interface when it is killed, and it comes back"):
        node.succeed(f"systemctl kill --signal KILL {unit}")
        node.wait_until_fails("ip link show dev eth1 | grep --fixed-strings xdp")
        node.wait_until_succeeds("ip link show dev eth1 | grep --fixed-strings xdp", timeout=30)

    with subtest("nothing is left on the interface when it stops"):
        node.succeed(f"systemctl stop {unit}")
        node.fail("ip link show dev eth1 | grep --fixed-strings xdp")
  '';
}
