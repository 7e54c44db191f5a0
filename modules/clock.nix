# Sets the clock before k3s starts: a board without a battery starts years behind, when no certificate is valid yet.
{ config, lib, ... }:
let
  cfg = config.rk1.clock;
in
{
  options.rk1.clock.timeout = lib.mkOption {
    type = lib.types.ints.positive;
    default = 120;
    example = 300;
    description = ''
      Seconds that k3s waits at boot for the first answer of a time server. After that it starts with the clock as it is.
      This applies to systemd-timesyncd, NixOS's default; with another time service, k3s starts after `time-sync.target`.
    '';
  };

  config = {
    services.timesyncd.enable = lib.mkDefault true;

    # systemd-timesyncd creates this file when it has heard from a server (systemd-timesyncd.service(8)). At a site without
    # a time server, the cluster starts late instead of never.
    systemd.services.clock-synchronized = lib.mkIf config.services.timesyncd.enable {
      description = "Wait for the first time synchronization";
      wants = [
        "systemd-timesyncd.service"
        "time-sync.target"
      ];
      after = [ "systemd-timesyncd.service" ];
      before = [ "time-sync.target" ];
      wantedBy = [ "multi-user.target" ];
      # The clock has been set since the boot: a switch need not wait for it again.
      restartIfChanged = false;
      serviceConfig = import ./sandbox.nix // {
        Type = "oneshot";
        RemainAfterExit = true;
        DynamicUser = true;
        PrivateUsers = true;
        PrivateNetwork = true;
        CapabilityBoundingSet = "";
        RestrictAddressFamilies = "none";
        SystemCallFilter = [
          "@system-service"
          "~@privileged @resources"
        ];
      };
      environment.TIMEOUT = toString cfg.timeout;
      script = builtins.readFile ./clock.sh;
    };
  };
}
