# A program of the workspace, built from the Cargo package of the same name.
{
  lib,
  rustPlatform,
  name,
  description,
  platforms,
  # What `--version` prints after the version, such as the commit. Whatever contains the program is rebuilt when it changes.
  revision ? null,
}:
let
  workspace = import ./workspace.nix { inherit lib; };
in
rustPlatform.buildRustPackage {
  pname = name;
  inherit (workspace) src cargoLock version;

  env = lib.optionalAttrs (revision != null) {
    RK1_VERSION = "${workspace.version} (${revision})";
  };

  cargoBuildFlags = [ "--package=${name}" ];
  # The other tests need Nix, network namespaces or loop devices, which a Nix build does not have.
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
    inherit platforms;
  };
}
