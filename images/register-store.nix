# Tells Nix once which store paths the image contains. Until then, a garbage collection would delete all of them, and a copy
# of a path would delete and rewrite it.
{
  config,
  lib,
  ...
}:
let
  # make-ext4-fs writes this file. The script removes it last, so that an interrupted run starts again.
  registration = "/nix-path-registration";
in
{
  config = lib.mkIf config.rk1.board.enable {
    systemd.services = {
      # As early as in NixOS's own SD card image (nixos/modules/installer/sd-card/sd-image.nix).
      register-store = {
        description = "Register the image's store paths with Nix";
        wantedBy = [ "sysinit.target" ];
        after = [ "local-fs.target" ];
        before = [
          "sysinit.target"
          "shutdown.target"
          "nix-daemon.socket"
          "nix-daemon.service"
          "nix-gc.service"
        ];
        conflicts = [ "shutdown.target" ];
        unitConfig = {
          DefaultDependencies = false;
          ConditionPathExists = registration;
        };
        restartIfChanged = false;
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
        };
        path = [ config.nix.package ];
        script = ''
          nix-store --load-db < ${registration}
          # nixos-rebuild needs both: the mark of a NixOS system and the system's profile.
          touch /etc/NIXOS
          nix-env --profile /nix/var/nix/profiles/system --set /run/current-system
          rm ${registration}
        '';
      };

      # The order alone would not hold it back if the registration failed.
      nix-gc = lib.mkIf config.nix.gc.automatic {
        unitConfig.ConditionPathExists = "!${registration}";
      };
    };
  };
}
