# The packet streamer's options.
{ lib, ... }:
let
  types = lib.types // import ./types.nix { inherit lib; };
in
{
  options.rk1.streamer = {
    enable = lib.mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = "Whether the node streams the packets that it receives to Grafana.";
    };

    interfaces = lib.mkOption {
      type = types.listOf (types.strMatching "[^/[:space:]]{1,15}");
      default = [ ];
      example = [ "end0" ];
      description = "Interfaces to listen on. None means every wired interface.";
    };

    url = lib.mkOption {
      type = types.httpUrl;
      description = "Where the rows are pushed to.";
      example = "https://grafana.example.org/api/live/push/rk1";
    };

    tokenFile = lib.mkOption {
      type = types.secretFile;
      description = ''
        File on the node that holds Grafana's token. Put there at flash time; never in the store.
      '';
      example = "/var/lib/rk1/secrets/grafana-token";
    };
  };
}
