# The clock before k3s: a board without a battery starts years behind, and no certificate is valid then.
{ config, lib, ... }:
let
  cfg = config.rk1.clock;
in
{
  options.rk1.clock.timeout = lib.mkOption {
    type = lib.types.ints.positive;
    default = 120;
    example = 300;
    description = "Seconds that k3s waits at boot for a time server before it starts with the clock as it is.";
  };

  config = {
    services.timesyncd.enable = true;

    # timesyncd tells by a file that it has heard from a server (systemd-timesyncd.service(8)). A site without one gets
    # its cluster late, not never.
    systemd.services.clock-synchronized = {
      description = "Wait for the first time synchronization";
      wants = [
        "systemd-timesyncd.service"
        "time-sync.target"
      ];
      after = [ "systemd-timesyncd.service" ];
      before = [ "time-sync.target" ];
      wantedBy = [ "multi-user.target" ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
      };
      script = ''
        for ((second = 0; second < ${toString cfg.timeout}; second++)); do
          if [[ -e /run/systemd/timesync/synchronized ]]; then
            exit 0
          fi
          sleep 1
        done
        echo "no time server answered in ${toString cfg.timeout} s: going on with $(date --utc)" >&2
      '';
    };
  };
}
