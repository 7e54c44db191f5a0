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
in
{
  imports = [
    ./storage/assertions.nix
    ./storage/mounts.nix
    ./storage/options.nix
  ];

  config.systemd.services.rk1-storage = {
    description = "Prepare the data disk ${cfg.device}";
    # Started by the mount that requires it, early: before local-fs.target.
    unitConfig.DefaultDependencies = false;
    conflicts = [ "shutdown.target" ];
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
      # No argument can hold what systemd or a shell would expand: the types see to that.
      ExecStart = "${lib.getExe pkgs.bash} ${./storage/prepare-disk.sh} ${cfg.device} ${./storage/repart.d} ${link}";
      # The console too: a refused disk must be seen where the node is looked at when ssh is not set up yet.
      StandardError = "journal+console";
    };
  };
}
