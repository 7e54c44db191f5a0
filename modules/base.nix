# What any node is, cluster or not: who may log in, and Nix itself.
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
      example = [
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1yQ1i8L1pZx1mTq0cYk5Yb0Zb2mB1X8mJk5cFh3xYz operator"
      ];
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
    system.stateVersion = lib.mkDefault "26.05";
  };
}
