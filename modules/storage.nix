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
  # Identifies the unencrypted disk that this node uses.
  record = "/var/lib/rk1/storage/disk";
  encrypts = cfg.keyFile != null;
  # Both scripts, in one folder.
  scripts = lib.fileset.toSource {
    root = ./storage;
    fileset = lib.fileset.unions [
      ./storage/encryption.sh
      ./storage/prepare-disk.sh
    ];
  };
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

  config.boot.kernelModules = lib.mkIf encrypts [ "dm_crypt" ];

  config.systemd.services = {
    rk1-storage = {
      description = "Prepare the data disk ${cfg.device}";
      # The mount requires this unit, so it runs early: before local-fs.target.
      unitConfig.DefaultDependencies = false;
      conflicts = [ "shutdown.target" ];
      after = [
        # Before this, udev has not looked at the disks that the kernel found at boot.
        "systemd-udev-trigger.service"
        "systemd-modules-load.service"
        # Moves the key from the seed.
        "node-secrets.service"
      ];
      before = [
        "local-fs.target"
        "shutdown.target"
      ];
      path = [
        config.systemd.package
        pkgs.coreutils
        pkgs.cryptsetup
        pkgs.diffutils
        pkgs.e2fsprogs
        pkgs.gnugrep
        pkgs.gnused
        pkgs.jq
        pkgs.util-linux
      ];
      # A restart would stop the mounts, and k3s with them.
      restartIfChanged = false;
      serviceConfig = import ./storage/sandbox.nix // {
        Type = "oneshot";
        RemainAfterExit = true;
        # The option types exclude everything that systemd or a shell would expand.
        ExecStart = lib.concatStringsSep " " (
          [
            (lib.getExe pkgs.bash)
            "${scripts}/prepare-disk.sh"
            cfg.device
            "${./storage/repart.d}"
            link
            record
          ]
          ++ lib.optional encrypts cfg.keyFile
        );
        # A check of a large filesystem takes its time. sshd waits for local-fs.target, and so for this.
        TimeoutStartSec = "30min";
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
      serviceConfig = import ./storage/directories-sandbox.nix // {
        Type = "oneshot";
        RemainAfterExit = true;
        ReadWritePaths = [ cfg.mountPoint ];
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
      serviceConfig = import ./systemctl-sandbox.nix // {
        Type = "oneshot";
        ExecStart = "${config.systemd.package}/bin/systemctl start --no-block ${lib.concatStringsSep " " cfg.tenants}";
      };
    };
  };
}
