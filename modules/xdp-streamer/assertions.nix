# What the types of rk1.streamer cannot express: settings that depend on each other.
{ config, lib, ... }:
let
  cfg = config.rk1.streamer;
  instances = import ./instances.nix {
    inherit lib;
    inherit (cfg) interfaces stream;
    host = config.networking.hostName;
  };
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.url != null;
        message = "rk1.streamer.url is not set: set it to Grafana's URL, such as `https://grafana.example.org`, or run Grafana on a node with rk1.grafana.node.";
      }
      {
        assertion = cfg.tokenFile != null;
        message = "rk1.streamer.tokenFile is not set, and Grafana accepts no rows without a token: set it to a file on the node, such as `/var/lib/rk1/secrets/grafana-token`.";
      }
      {
        assertion = cfg.privacy.addresses == "hash" -> cfg.privacy.hashKeyFile != null;
        message = "rk1.streamer.privacy.hashKeyFile is not set, and hashed addresses need a key: set it to a file on the node with at least 16 random bytes.";
      }
      {
        assertion = cfg.direction != "in" -> cfg.hook != "xdp";
        message = "rk1.streamer.direction is `${cfg.direction}`, and XDP programs see received packets only: set rk1.streamer.hook to `auto` or `tcx`.";
      }
      {
        assertion =
          cfg.write.enable
          -> cfg.privacy.addresses == "whole" && cfg.privacy.macs == "whole" && cfg.privacy.ports;
        message = "rk1.streamer.write.enable writes whole packets, which rk1.streamer.privacy cannot change: disable one of them.";
      }
      {
        assertion = cfg.interfaces != [ ] || config.rk1 ? network;
        message = "rk1.streamer.interfaces is empty, which only a node of an rk1 cluster may leave so: list the interfaces, such as `[ \"eth0\" ]`.";
      }
      {
        assertion = lib.allUnique cfg.interfaces;
        message = "rk1.streamer.interfaces lists an interface twice: list each once.";
      }
      {
        assertion = lib.all (instance: lib.stringLength instance.stream <= 100) instances;
        message = "rk1.streamer.stream leads to a stream name of more than 100 characters, Grafana Live's limit: shorten `${cfg.stream}`.";
      }
    ];
  };
}
