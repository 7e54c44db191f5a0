# A stand-in for nixos/modules/virtualisation/qemu-vm.nix: the machine, and the one definition that conflicts with ours
# unless ours is a default.
{ config, lib, ... }:
{
  services.timesyncd.enable = false;
  system.build.vm =
    derivation {
      name = "nixos-vm";
      system = config.nixpkgs.hostPlatform;
      builder = "/not/built/here";
      inherit (config.system.build) toplevel;
    }
    // {
      meta.mainProgram = "run-${config.networking.hostName}-vm";
    };
}
