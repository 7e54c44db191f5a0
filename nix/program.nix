# A program of the workspace: the package that has its name.
{
  lib,
  rustPlatform,
  name,
  description,
}:
let
  workspace = import ./workspace.nix { inherit lib; };
in
rustPlatform.buildRustPackage {
  pname = name;
  inherit (workspace) src cargoLock version;

  cargoBuildFlags = [ "--package=${name}" ];
  # The other tests need Nix, namespaces or loop devices, which a build has not.
  cargoTestFlags = [
    "--package=${name}"
    "--lib"
    "--bins"
  ];

  meta = {
    inherit description;
    license = [
      lib.licenses.asl20
      lib.licenses.mit
    ];
    mainProgram = name;
    platforms = lib.platforms.linux;
  };
}
