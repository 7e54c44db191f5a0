# What the streamer listens on, and how much of it is shown.
{ lib, ... }:
let
  types = lib.types // import ../types.nix { inherit lib; };
in
{
  options.rk1.streamer = {
    interfaces = lib.mkOption {
      type = types.listOf types.interfaceName;
      default = [ ];
      example = [ "end0" ];
      description = ''
        Interfaces to listen on, an instance of the streamer each. None means the one that has the node's address,
        whatever its name is.
      '';
    };

    hook = lib.mkOption {
      type = types.enum [
        "xdp"
        "tcx"
      ];
      default = "xdp";
      example = "tcx";
      description = ''
        The kernel's hook. `tcx` is for interfaces that have another XDP program, and the cheaper one where XDP would be in
        generic mode, for which the kernel copies most packets.
      '';
    };

    xdpMode = lib.mkOption {
      type = types.enum [
        "auto"
        "driver"
        "generic"
      ];
      default = "generic";
      example = "driver";
      description = ''
        Mode of the XDP hook. `driver` is faster, but the RK1's own network driver (stmmac) restarts the device when a
        program comes or goes: the node is off the network for a moment. `auto` tries `driver` first.
      '';
    };

    budget = lib.mkOption {
      type = types.ints.between 1 100000;
      default = 500;
      example = 2000;
      description = "Packets shown a second. More are sampled evenly; totals stay exact.";
    };

    talkers = lib.mkOption {
      type = types.ints.between 0 100;
      default = 10;
      example = 0;
      description = "Largest flows told each second. 0 saves the kernel the adding up.";
    };
  };
}
