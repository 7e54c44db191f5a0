# How much of a packet the streamer shows to whoever may open the dashboard.
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
        How IP addresses are shown: whole, cut to /24 and /48, or hashed with a key. Whoever may open the dashboard sees
        them.
      '';
    };

    hashKeyFile = lib.mkOption {
      type = types.nullOr types.secretFile;
      default = null;
      example = "/var/lib/rk1/secrets/hash-key";
      description = "File on the node that holds the key of hashed addresses, 16 bytes or more.";
    };

    macs = lib.mkOption {
      type = types.enum [
        "whole"
        "vendor"
      ];
      default = "whole";
      example = "vendor";
      description = "How MAC addresses are shown: whole, or the vendor's half.";
    };

    ports = lib.mkOption {
      type = types.bool;
      default = true;
      example = false;
      description = "Whether ports are shown.";
    };
  };
}
