{ lib, rustPlatform }:
let
  workspace = import ./workspace.nix { inherit lib; };
in
rustPlatform.buildRustPackage {
  pname = "rk1";
  inherit (workspace) src cargoLock version;

  cargoBuildFlags = [ "--package=rk1" ];
  # The others need Nix, namespaces or loop devices, which a build has not.
  cargoTestFlags = [
    "--package=rk1"
    "--lib"
    "--bins"
  ];

  meta = {
    description = "Renders NixOS hosts, Kubernetes manifests and router configuration for Turing RK1 clusters";
    license = [
      lib.licenses.asl20
      lib.licenses.mit
    ];
    mainProgram = "rk1";
  };
}
