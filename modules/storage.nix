# The disks: each prepared once, or a filesystem that exists; then mounted, with k3s's directories bound to them.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.rk1.storage;
  encrypts = cfg.keyFile != null;
  # The scripts, in one folder.
  scripts = lib.fileset.toSource {
    root = ./storage;
    fileset = lib.fileset.unions [
      ./storage/check.sh
      ./storage/encryption.sh
      ./storage/prepare-disk.sh
      ./storage/use-filesystem.sh
    ];
  };
  # The partition of a further disk has a name of its own, so that no disk is taken for another one of the node.
  definitions =
    disk:
    if disk.name == null then
      ./storage/repart.d
    else
      pkgs.runCommand "rk1-disk-${disk.name}" { } ''
        mkdir "$out"
        sed 's/^Label=.*/Label=rk1-disk-${disk.name}/' ${./storage/repart.d/50-rk1-storage.conf} >"$out/50-rk1-storage.conf"
      '';
  # The option types exclude everything that systemd or a shell would expand.
  command =
    disk:
    if disk.uuid != null then
      [
        "${scripts}/use-filesystem.sh"
        disk.uuid
        disk.link
      ]
    else
      [
        "${scripts}/prepare-disk.sh"
        disk.device
        "${definitions disk}"
        disk.link
        disk.record
      ]
      ++ lib.optional encrypts cfg.keyFile;
  # As `systemd-escape --path --suffix=device` names it.
  deviceUnit =
    disk:
    lib.replaceStrings [ "-" "/" "+" "@" ] [ "\\x2d" "-" "\\x2b" "\\x40" ] (
      lib.removePrefix "/" (if disk.uuid != null then "/dev/disk/by-uuid/${disk.uuid}" else disk.device)
    )
    + ".device";

  prepare = disk: {
    description =
      if disk.uuid != null then
        "Check the filesystem ${disk.uuid}"
      else if disk.name == null then
        "Prepare the data disk ${disk.device}"
      else
        "Prepare the disk ${disk.device}";
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
      ExecStart = lib.concatStringsSep " " ([ (lib.getExe pkgs.bash) ] ++ command disk);
      # A check of a large filesystem takes its time. sshd waits for local-fs.target, and so for this.
      TimeoutStartSec = "30min";
      # On the console as well: it shows a refused disk before ssh is set up.
      StandardError = "journal+console";
    };
  };

  directories = disk: {
    description =
      if disk.name == null then
        "Check the directories of the data disk"
      else
        "Check the directories of the disk ${disk.name}";
    unitConfig = {
      DefaultDependencies = false;
      RequiresMountsFor = [ disk.mountPoint ];
    };
    conflicts = [ "shutdown.target" ];
    before = [
      "local-fs.target"
      "shutdown.target"
    ];
    restartIfChanged = false;
    environment = {
      MOUNT_POINT = disk.mountPoint;
      DIRECTORIES = lib.concatStringsSep " " (builtins.attrValues disk.binds);
    };
    serviceConfig = import ./storage/directories-sandbox.nix // {
      Type = "oneshot";
      RemainAfterExit = true;
      ReadWritePaths = [ disk.mountPoint ];
    };
    script = builtins.readFile ./storage/directories.sh;
  };

  # systemd starts this when udev reports the disk. At an ordinary boot everything runs by then, and nothing happens. A
  # disk that appears after the boot has given up waiting brings up what needs it.
  late = disk: {
    description = "Start the units that need the ${
      if disk.name == null then "data disk" else "disk ${disk.name}"
    }";
    wantedBy = [ (deviceUnit disk) ];
    after = [
      "multi-user.target"
      "${disk.units.prepare}.service"
    ];
    unitConfig.ConditionPathIsMountPoint = "!${disk.mountPoint}";
    restartIfChanged = false;
    serviceConfig = import ./systemctl-sandbox.nix // {
      Type = "oneshot";
      ExecStart = "${config.systemd.package}/bin/systemctl start --no-block ${lib.concatStringsSep " " cfg.tenants}";
    };
  };

  services =
    disk:
    {
      ${disk.units.prepare} = prepare disk;
    }
    // lib.optionalAttrs (disk.binds != { }) { ${disk.units.directories} = directories disk; }
    // lib.optionalAttrs (cfg.tenants != [ ]) { ${disk.units.late} = late disk; };
in
{
  imports = [
    ./storage/assertions.nix
    ./storage/disks.nix
    ./storage/mounts.nix
    ./storage/options.nix
  ];

  config.boot.kernelModules = lib.mkIf encrypts [ "dm_crypt" ];

  config.systemd.services = lib.mkMerge (map services cfg.all);
}
