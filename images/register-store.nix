# Tells Nix, once, what the image brought: without it the first garbage collection would delete the system.
{
  config,
  lib,
  ...
}:
{
  config = lib.mkIf config.rk1.board.enable {
    systemd.services.register-store = {
      description = "Register the image's store paths with Nix";
      wantedBy = [ "multi-user.target" ];
      before = [
        "k3s.service"
        "nix-gc.service"
      ];
      # make-ext4-fs leaves this file; it goes when all is done, so that a cut run begins again.
      unitConfig.ConditionPathExists = "/nix-path-registration";
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
      };
      path = [ config.nix.package ];
      script = ''
        nix-store --load-db < /nix-path-registration
        # nixos-rebuild wants both: the mark of a NixOS and the system's profile.
        touch /etc/NIXOS
        nix-env --profile /nix/var/nix/profiles/system --set /run/current-system
        rm /nix-path-registration
      '';
    };
  };
}
