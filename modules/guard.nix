# A new system has to be confirmed, or the node goes back to the one before: what `rk1 deploy` relies on.
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
    ];
    runtimeEnv = {
      GUARD_STATE = cfg.directory;
      CURRENT_SYSTEM = "/run/current-system";
      SYSTEM_PROFILE = "/nix/var/nix/profiles/system";
      GC_ROOT = "/nix/var/nix/gcroots/rk1-guard";
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
        Whether the node has `rk1-guard`, with which `rk1 deploy` has it go back by itself to the system of before.
        Without it `rk1 deploy` refuses the node.
      '';
    };

    directory = lib.mkOption {
      type = types.strMatching "(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+";
      default = "/var/lib/rk1/guard";
      example = "/var/lib/rk1/guard";
      description = "Where the guard notes what it waits for. It has to outlive a reboot.";
    };
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ guard ];

    # At boot alone. The watch itself is a unit that the guard starts: no switch stops it, and no target waits for it,
    # or going back would wait for itself.
    systemd.services.rk1-guard = {
      description = "Wait on for the confirmation that a reboot has cut off";
      wantedBy = [ "multi-user.target" ];
      unitConfig = {
        ConditionPathExists = [
          "|${cfg.directory}/armed"
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
