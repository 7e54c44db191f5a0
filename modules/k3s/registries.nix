# Mirrors of container registries, and how the node logs in to registries.
{ config, lib, ... }:
let
  types = lib.types // import ../types.nix { inherit lib; };
  cfg = config.rk1.k3s;
in
{
  options.rk1.k3s = {
    registries = lib.mkOption {
      type = types.attrsOf types.anything;
      default = { };
      example = {
        mirrors."docker.io".endpoint = [ "https://mirror.example.org" ];
        configs."mirror.example.org".auth = {
          username = "robot";
          password._secret = "/var/lib/rk1/secrets/registry-password";
        };
      };
      description = ''
        Content of k3s's `registries.yaml`. A set with the only attribute `_secret` stands for the content of a file on the
        node, which never enters the Nix store.
      '';
    };

    embeddedRegistry = lib.mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = ''
        Whether nodes fetch images from each other (k3s's embedded registry). All nodes must agree: it opens TCP ports 5001
        and 6443 of each node to the others.
      '';
    };
  };

  config = lib.mkIf cfg.enable {
    rk1.k3s.configFiles = lib.mkIf (cfg.registries != { }) { "registries.yaml" = cfg.registries; };

    services.k3s.extraFlags =
      lib.optional (cfg.registries != { }) "--private-registry=${cfg.configDirectory}/registries.yaml"
      ++ lib.optional (cfg.embeddedRegistry && cfg.role == "server") "--embedded-registry";
  };
}
