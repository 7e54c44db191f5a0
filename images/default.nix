# The flashable image of each host, by the host's name.
{ lib, nixosConfigurations }:
lib.mapAttrs (_: host: host.config.system.build.rk1Image) nixosConfigurations
