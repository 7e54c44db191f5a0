# The data disk: prepared once, then mounted, with k3s's directories bound to it.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.rk1.storage;
  link = import ./storage/link.nix;
  # As `systemd-escape --path --suffix=device` names it.
  deviceUnit =
    lib.replaceStrings [ "-" "/" "+" "@" ] [ "\\x2d" "-" "\\x2b" "\\x40" ] (
      lib.removePrefix "/" cfg.device
    )
    + ".device";
in
{
  imports = [
    ./storage/assertions.nix
    ./storage/mounts.nix
    ./storage/options.nix
  ];

  config.systemd.services = {
    rk1-storage = {
      description = "Prepare the data disk ${cfg.device}";
      # The mount requires this unit, so it runs early: before local-fs.target.
      unitConfig.DefaultDependencies = false;
      conflicts = [ "shutdown.target" ];
      # Before this, udev has not looked at the disks that the kernel found at boot.
      after = [ "systemd-udev-trigger.service" ];
      before = [
        "local-fs.target"
        "shutdown.target"
      ];
      path = [
        config.systemd.package
        pkgs.coreutils
        pkgs.diffutils
        pkgs.e2fsprogs
        pkgs.gnugrep
        pkgs.gnused
        pkgs.util-linux
      ];
      # A restart would stop the mounts, and k3s with them.
      restartIfChanged = false;
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        # The option types exclude everything that systemd or a shell would expand.
        ExecStart = "${lib.getExe pkgs.bash} ${./storage/prepare-disk.sh} ${cfg.device} ${./storage/repart.d} ${link}";
        # On the console as well: it shows a refused disk before ssh is set up.
        StandardError = "journal+console";
      };
    };

    rk1-storage-directories = {
      description = "Check the directories of the data disk";
      unitConfig = {
        DefaultDependencies = false;
        RequiresMountsFor = [ cfg.mountPoint ];
      };
      conflicts = [ "shutdown.target" ];
      before = [
        "local-fs.target"
        "shutdown.target"
      ];
      restartIfChanged = false;
      environment = {
        MOUNT_POINT = cfg.mountPoint;
        DIRECTORIES = lib.concatStringsSep " " (builtins.attrValues cfg.binds);
      };
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
      };
      script = builtins.readFile ./storage/directories.sh;
    };

    # systemd starts this when udev reports the disk. At an ordinary boot everything runs by then, and nothing happens. A
    # disk that appears after the boot has given up waiting brings up what needs it.
    rk1-storage-late = lib.mkIf (cfg.tenants != [ ]) {
      description = "Start the units that need the data disk";
      wantedBy = [ deviceUnit ];
      after = [
        "multi-user.target"
        "rk1-storage.service"
      ];
      unitConfig.ConditionPathIsMountPoint = "!${cfg.mountPoint}";
      restartIfChanged = false;
      serviceConfig = {
        Type = "oneshot";
        ExecStart = "${config.systemd.package}/bin/systemctl start --no-block ${lib.concatStringsSep " " cfg.tenants}";
      };
    };
  };
}
