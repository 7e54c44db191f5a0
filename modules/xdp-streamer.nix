# The daemon that shows the packets that the node receives: one instance an interface, with three capabilities.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.rk1.streamer;
  instances = import ./xdp-streamer/instances.nix {
    inherit lib;
    inherit (cfg) interfaces stream;
    host = config.networking.hostName;
  };
  command = import ./xdp-streamer/command.nix {
    inherit lib cfg;
    program = lib.getExe pkgs.xdp-streamer;
    address = config.rk1.network.ipv4;
  };
  service = import ./xdp-streamer/service.nix { inherit lib cfg command; };
in
{
  imports = [
    # It stands alone, too.
    ./node-secrets.nix
    ./xdp-streamer/assertions.nix
    ./xdp-streamer/capture.nix
    ./xdp-streamer/privacy.nix
    ./xdp-streamer/sink.nix
  ];

  options.rk1.streamer.enable = lib.mkOption {
    type = lib.types.bool;
    default = false;
    example = true;
    description = "Whether the node shows the packets that it receives in Grafana.";
  };

  config = lib.mkIf cfg.enable {
    rk1.secrets.readers = map (instance: "${instance.name}.service") instances;

    systemd.services =
      lib.listToAttrs (map (instance: lib.nameValuePair instance.name (service instance)) instances)
      // {
        # A credential is a copy made at the start.
        streamer-token = {
          description = "Give the streamer its new token";
          serviceConfig = {
            Type = "oneshot";
            ExecStart = "${config.systemd.package}/bin/systemctl restart --no-block ${
              lib.concatMapStringsSep " " (instance: "${instance.name}.service") instances
            }";
          };
        };
      };

    systemd.paths.streamer-token = {
      description = "Watch the streamer's token";
      wantedBy = [ "multi-user.target" ];
      after = [ "node-secrets.service" ];
      pathConfig.PathChanged = cfg.tokenFile;
    };
  };
}
