# Rolls the node back to the previous system unless the new one is confirmed in time. `rk1 deploy` relies on it.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  types = lib.types;
  cfg = config.rk1.guard;
  guard = pkgs.writeShellApplication {
    name = "rk1-guard";
    runtimeInputs = [
      config.nix.package
      config.systemd.package
      pkgs.coreutils
      pkgs.gnused
      pkgs.kexec-tools
    ];
    runtimeEnv = {
      GUARD_STATE = cfg.directory;
      BOOTED_SYSTEM = "/run/booted-system";
      CURRENT_SYSTEM = "/run/current-system";
      SYSTEM_PROFILE = "/nix/var/nix/profiles/system";
      GC_ROOT = "/nix/var/nix/gcroots/rk1-guard";
      REBOOT_BY = cfg.rebootBy;
    };
    text = builtins.readFile ./guard/guard.sh;
  };
in
{
  options.rk1.guard = {
    enable = lib.mkOption {
      type = types.bool;
      default = true;
      example = false;
      description = ''
        Whether the node has `rk1-guard`, which rolls it back to the previous system if `rk1 deploy` does not confirm the
        new one. `rk1 deploy` refuses a node without it.
      '';
    };

    directory = lib.mkOption {
      type = types.strMatching "(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+";
      default = "/var/lib/rk1/guard";
      example = "/var/lib/rk1/guard";
      description = "Directory of the guard's state. It has to survive a reboot.";
    };
  };

  options.rk1.guard.rebootBy = lib.mkOption {
    type = types.enum [
      "kexec"
      "reboot"
    ];
    default = "kexec";
    example = "reboot";
    description = ''
      How `rk1 deploy --reboot` starts a new system. With `kexec` the running kernel starts it, and the boot loader keeps the
      old system as its default until the new one is confirmed: a kernel that hangs or panics is rolled back by the reset.
      `reboot` is for a node where kexec does not work: a kernel that never starts a program then needs the console.
    '';
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ guard ];

    # Runs at boot only. The watch itself is a transient unit that the guard starts: no switch stops that one, and no target
    # waits for it, so that a rollback never waits for itself.
    systemd.services.rk1-guard = {
      description = "Resume waiting for the confirmation of a new system";
      wantedBy = [ "multi-user.target" ];
      unitConfig = {
        ConditionPathExists = [
          "|${cfg.directory}/armed"
          "|${cfg.directory}/keeping"
          "|${cfg.directory}/reverting"
        ];
        RequiresMountsFor = [ cfg.directory ];
      };
      restartIfChanged = false;
      serviceConfig = {
        Type = "oneshot";
        ExecStart = "${lib.getExe guard} resume";
      };
    };
  };
}
