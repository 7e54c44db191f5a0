# Options of the files that the streamer writes whole packets to.
{ lib, ... }:
let
  types = lib.types // import ../types.nix { inherit lib; };
in
{
  options.rk1.streamer.write = {
    enable = lib.mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = ''
        Whether packets are also written to pcapng files, in `/var/lib/xdp-streamer` or `/var/lib/xdp-streamer-<interface>`,
        which only root can read. The files have the packets that are shown: {option}`rk1.streamer.budget` bounds both.
      '';
    };

    snaplen = lib.mkOption {
      type = types.ints.between 64 65535;
      default = 65535;
      example = 96;
      description = "Most bytes of a packet that are written.";
    };

    rotate = lib.mkOption {
      type = types.sizeOrTime;
      default = "100MiB";
      example = "1h";
      description = "Size or time after which a new file is begun.";
    };

    keep = lib.mkOption {
      type = types.ints.between 1 10000;
      default = 10;
      example = 24;
      description = "Number of files that are kept. A restarted streamer does not remove the files of the run before.";
    };
  };
}
