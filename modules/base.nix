# What every node is, in a cluster or not: who may log in, and how Nix behaves.
{
  config,
  lib,
  options,
  ...
}:
let
  types = lib.types // import ./types.nix { inherit lib; };
  cfg = config.rk1.base;
in
{
  options.rk1.base = {
    authorizedKeys = lib.mkOption {
      type = types.nonEmptyListOf types.sshPublicKey;
      description = ''
        SSH public keys that may log in as root. Passwords are disabled, on the console as well, so these keys are the
        only way to log in.
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
        PasswordAuthentication = lib.mkDefault false;
        KbdInteractiveAuthentication = lib.mkDefault false;
        # `rk1 deploy` and `rk1 status` log in as root with a key.
        PermitRootLogin = lib.mkDefault "prohibit-password";
      };
    };

    users = {
      mutableUsers = lib.mkDefault false;
      users.root = {
        # No password matches `*`. Unlike `!`, it does not lock the account for keys where sshd runs without PAM.
        hashedPassword = lib.mkDefault "*";
        # systemd-sysusers sets passwords of new accounts only. NixOS asserts that root has both options then.
        initialHashedPassword = lib.mkIf config.systemd.sysusers.enable (lib.mkDefault "*");
        openssh.authorizedKeys.keys = cfg.authorizedKeys;
      };
    };

    nix = {
      channel.enable = lib.mkDefault false;
      settings = {
        experimental-features = [
          "nix-command"
          "flakes"
        ];
        auto-optimise-store = lib.mkDefault true;
        # `nixos-rebuild --target-host root@…` copies closures that nobody signed.
        trusted-users = [ "root" ];
      };
      # etcd needs the CPU and the disk more urgently than a build, a copy or a garbage collection does.
      daemonCPUSchedPolicy = lib.mkDefault "batch";
      daemonIOSchedClass = lib.mkDefault "idle";
      # The eMMC has 32 GB: old generations go after two weeks. The random delay keeps the nodes from collecting at once.
      gc = {
        automatic = lib.mkDefault true;
        dates = lib.mkDefault "03:15";
        randomizedDelaySec = lib.mkDefault "3h";
        options = lib.mkDefault "--delete-older-than 14d";
      };
    };

    systemd.services.nix-gc = lib.mkIf config.nix.gc.automatic {
      serviceConfig = {
        CPUSchedulingPolicy = lib.mkDefault "batch";
        IOSchedulingClass = lib.mkDefault "idle";
      };
    };

    # A flake's nixpkgs would put its whole source tree into every image: nodes run what is copied to them.
    nixpkgs.flake = {
      setFlakeRegistry = lib.mkDefault false;
      setNixPath = lib.mkDefault false;
    };

    # A journal that fills the eMMC would stop the node. NixOS is replacing one option by the other.
    services.journald =
      if options.services.journald ? settings then
        { settings.Journal.SystemMaxUse = lib.mkDefault "512M"; }
      else
        { extraConfig = lib.mkBefore "SystemMaxUse=512M"; };
  };
}
