# What any node is, cluster or not: who may log in, Nix itself, the clock.
{ config, lib, ... }:
let
  types = lib.types // import ./types.nix { inherit lib; };
  cfg = config.rk1.base;
in
{
  options.rk1.base = {
    authorizedKeys = lib.mkOption {
      type = types.nonEmptyListOf types.sshPublicKey;
      description = ''
        SSH keys that may log in as root. There is no other way in: passwords are off, on the console too.
      '';
      example = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1yQ1i8L1pZx1mTq0cYk5Yb0Zb2mB1X8mJk5cFh3xYz operator" ];
    };

    clockTimeout = lib.mkOption {
      type = types.ints.positive;
      default = 120;
      example = 300;
      description = ''
        Seconds that k3s waits at boot for a time server. A board without its clock's battery starts years behind, and
        no certificate is valid then.
      '';
    };
  };

  config = {
    services.openssh = {
      enable = true;
      settings = {
        PasswordAuthentication = false;
        KbdInteractiveAuthentication = false;
        PermitRootLogin = "prohibit-password";
      };
    };

    users = {
      mutableUsers = false;
      users.root = {
        # No password fits, and unlike `!` it does not lock the account for keys where sshd runs without PAM.
        hashedPassword = "*";
        openssh.authorizedKeys.keys = cfg.authorizedKeys;
      };
    };

    nix = {
      channel.enable = false;
      settings = {
        experimental-features = [
          "nix-command"
          "flakes"
        ];
        auto-optimise-store = true;
        # `nixos-rebuild --target-host root@…` copies closures that nobody signed.
        trusted-users = [ "root" ];
      };
      # The eMMC has 32 GB: keep a fortnight of generations to go back to.
      gc = {
        automatic = true;
        options = "--delete-older-than 14d";
      };
    };

    documentation.enable = lib.mkDefault false;
    services.timesyncd.enable = true;

    # k3s must not make certificates before the clock is right. timesyncd tells by a file
    # (systemd-timesyncd.service(8)); a site without a time server gets its cluster late, not never.
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
        for ((second = 0; second < ${toString cfg.clockTimeout}; second++)); do
          if [[ -e /run/systemd/timesync/synchronized ]]; then
            exit 0
          fi
          sleep 1
        done
        echo "no time server answered in ${toString cfg.clockTimeout} s: going on with $(date --utc)" >&2
      '';
    };

    system.stateVersion = lib.mkDefault "26.05";
  };
}
