# The units of a host, in the initrd and in the system.
{ lib }:
let
  # Units as NixOS installs them: generateUnits in nixos/lib/systemd-lib.nix loops over systemd's own units, then over the
  # directories of systemd's own links, and then adds the units of NixOS and of its users.
  unitsOf =
    directory: units:
    let
      loops = lib.tail (lib.splitString "for i in " directory.buildCommand);
      listed = number: lib.splitString " " (lib.head (lib.splitString "; do" (lib.elemAt loops number)));
    in
    {
      upstream = listed 0;
      upstreamLinks = listed 1;
      own = lib.mapAttrs (_: unit: {
        inherit (unit)
          enable
          text
          wantedBy
          requiredBy
          upheldBy
          aliases
          overrideStrategy
          ;
      }) units;
    };
in
config: {
  system = unitsOf config.environment.etc."systemd/system".source config.systemd.units // {
    fstab = config.environment.etc.fstab.text;
  };
  initrd =
    unitsOf config.boot.initrd.systemd.contents."/etc/systemd/system".source
      config.boot.initrd.systemd.units
    // {
      fstab = config.boot.initrd.systemd.managerEnvironment.SYSTEMD_SYSROOT_FSTAB.text;
    };
}
