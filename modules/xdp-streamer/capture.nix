# Options of what the streamer captures, and how much of it is shown.
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
        Interfaces to capture on, each with an instance of the streamer. An empty list means the interface that has the
        node's address, whatever its name is.
      '';
    };

    hook = lib.mkOption {
      type = types.enum [
        "auto"
        "xdp"
        "tcx"
      ];
      default = "auto";
      example = "xdp";
      description = ''
        Hook of the kernel that runs the packet program. `auto` chooses the hook that suits the interface's driver: TCX on
        the RK1. `tcx` also works on interfaces that have another XDP program. It is cheaper than XDP in generic mode, for
        which the kernel copies most packets.
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
        Mode of the hook `xdp`; the other hooks ignore it. `driver` is faster, but the RK1's network driver (stmmac)
        restarts the device when a program is attached or detached, which interrupts the node's network for a moment.
        `auto` tries `driver` first, and `generic` if the driver refuses.
      '';
    };

    direction = lib.mkOption {
      type = types.enum [
        "in"
        "out"
        "both"
      ];
      default = "in";
      example = "both";
      description = "Packets to capture: those that the node receives, those that it sends, or both. Sent packets need TCX.";
    };

    filter = lib.mkOption {
      type = types.nullOr types.filterExpression;
      default = null;
      example = "tcp port 443 and not host 192.0.2.1";
      description = "Expression of tcpdump that selects the packets to show. Totals stay of all packets. Null shows all.";
    };

    allMulticast = lib.mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = ''
        Whether the network card passes on the packets of every multicast group while the streamer runs, also of groups that
        no program on the node has joined, such as SSDP. The streamer then has a fourth capability, CAP_NET_RAW.
      '';
    };

    budget = lib.mkOption {
      type = types.ints.between 1 100000;
      default = 500;
      example = 2000;
      description = "Packets shown per second. Above this rate, packets are sampled evenly. Totals stay exact.";
    };

    talkers = lib.mkOption {
      type = types.ints.between 0 100;
      default = 10;
      example = 0;
      description = "Number of the largest flows reported each second. With 0, the kernel does not count flows.";
    };
  };
}
