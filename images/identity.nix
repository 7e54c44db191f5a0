# Identifiers of a host's filesystems. They differ between hosts, so that no disk is mistaken for another host's, and stay
# the same in every build.
{ lib, config }:
let
  digest = builtins.hashString "sha256" "${config.rk1.cluster.name}/${config.networking.hostName}";
  hex = from: length: builtins.substring from length digest;
in
{
  # A UUID of version 8, derived from a digest (RFC 9562).
  rootUuid = "${hex 0 8}-${hex 8 4}-8${hex 13 3}-8${hex 17 3}-${hex 20 12}";
  rootLabel = "rk1-root-${hex 0 6}";
  # The MBR's disk signature and the FAT's volume ID, 32 bits each.
  diskId = hex 32 8;
  seedId = hex 40 8;
}
