# Options of how much of a packet the streamer shows to those who may open the dashboard.
{ lib, ... }:
let
  types = lib.types // import ../types.nix { inherit lib; };
in
{
  options.rk1.streamer.privacy = {
    addresses = lib.mkOption {
      type = types.enum [
        "whole"
        "truncate"
        "hash"
      ];
      default = "whole";
      example = "truncate";
      description = ''
        How IP addresses are shown to everyone who may open the dashboard: `whole`, truncated to /24 and /48, or hashed with
        a key.
      '';
    };

    hashKeyFile = lib.mkOption {
      type = types.nullOr types.secretFile;
      default = null;
      example = "/var/lib/rk1/secrets/hash-key";
      description = "File on the node with the key of hashed addresses, at least 16 bytes.";
    };

    macs = lib.mkOption {
      type = types.enum [
        "whole"
        "vendor"
      ];
      default = "whole";
      example = "vendor";
      description = "How MAC addresses are shown: `whole`, or only the half that identifies the vendor.";
    };

    ports = lib.mkOption {
      type = types.bool;
      default = true;
      example = false;
      description = "Whether port numbers are shown.";
    };
  };
}
