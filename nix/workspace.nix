# The files that Cargo needs. A change of any other file rebuilds nothing.
{ lib }:
let
  inherit (lib) fileset;
  root = ../.;
in
{
  src = fileset.toSource {
    inherit root;
    fileset = fileset.unions [
      ../Cargo.lock
      ../Cargo.toml
      ../pins.json
      ../src
      # Cargo reads the manifests of all members of the workspace.
      (fileset.maybeMissing ../benches)
      (fileset.maybeMissing ../ebpf)
      ../tests
    ];
  };
  cargoLock.lockFile = ../Cargo.lock;
  inherit ((lib.importTOML ../Cargo.toml).package) version;
}
