# What Cargo needs of this repository; a change elsewhere rebuilds nothing.
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
      # The manifests name these; Cargo reads every manifest of the workspace.
      (fileset.maybeMissing ../benches)
      (fileset.maybeMissing ../ebpf)
      ../tests
    ];
  };
  cargoLock.lockFile = ../Cargo.lock;
  inherit ((lib.importTOML ../Cargo.toml).package) version;
}
