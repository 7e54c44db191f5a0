# Names of a host's filesystems: one host's disk is never taken for another's, and a rebuild changes nothing.
{ lib, config }:
let
  digest = builtins.hashString "sha256" "${config.rk1.cluster.name}/${config.networking.hostName}";
  hex = from: length: builtins.substring from length digest;
in
{
  # RFC 9562, version 8: made from a digest.
  rootUuid = "${hex 0 8}-${hex 8 4}-8${hex 13 3}-8${hex 17 3}-${hex 20 12}";
  rootLabel = "rk1-root-${hex 0 6}";
  # MBR disk signature and FAT volume id, 32 bits each.
  diskId = hex 32 8;
  seedId = hex 40 8;
}
