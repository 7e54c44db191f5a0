# The daemon that shows received packets in Grafana: one instance per interface, with three capabilities.
#
# This module also works on a NixOS machine that is not a node of a cluster, as `nixosModules.xdp-streamer` of the flake.
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
    program = lib.getExe cfg.package;
    # Without the other modules, `interfaces` has to be set.
    address = config.rk1.network.ipv4 or null;
  };
  service = import ./xdp-streamer/service.nix { inherit lib cfg command; };
in
{
  imports = [
    ./node-secrets.nix
    ./xdp-streamer/assertions.nix
    ./xdp-streamer/capture.nix
    ./xdp-streamer/privacy.nix
    ./xdp-streamer/sink.nix
    ./xdp-streamer/write.nix
  ];

  options.rk1.streamer = {
    enable = lib.mkOption {
      type = lib.types.bool;
      default = false;
      example = true;
      description = "Whether the node shows the packets that it receives in Grafana.";
    };

    package = lib.mkOption {
      type = lib.types.package;
      default = pkgs.xdp-streamer;
      defaultText = lib.literalExpression "pkgs.xdp-streamer";
      example = lib.literalExpression "pkgs.xdp-streamer";
      description = "Package of the streamer. The overlay of rk1's flake adds the default to nixpkgs.";
    };
  };

  config = lib.mkIf cfg.enable {
    rk1.secrets.readers = map (instance: "${instance.name}.service") instances;

    systemd.services =
      lib.listToAttrs (map (instance: lib.nameValuePair instance.name (service instance)) instances)
      // {
        # systemd copies credentials when a unit starts, so a new token needs a restart.
        streamer-token = {
          description = "Restart the streamer with its new token";
          serviceConfig = import ./systemctl-sandbox.nix // {
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
