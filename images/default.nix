# The flashable image of each host, by its name.
{ lib, nixosConfigurations }:
lib.mapAttrs (_: host: host.config.system.build.rk1Image) nixosConfigurations
