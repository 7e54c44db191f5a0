{ lib, rustPlatform }:
let
  workspace = import ./workspace.nix { inherit lib; };
in
rustPlatform.buildRustPackage {
  pname = "xdp-streamer";
  inherit (workspace) src cargoLock version;

  # The BPF program is committed as it was built, in ebpf/object: no BPF toolchain here.
  cargoBuildFlags = [ "--package=xdp-streamer" ];
  cargoTestFlags = [
    "--package=xdp-streamer"
    "--lib"
    "--bins"
  ];

  meta = {
    description = "Streams received packets to Grafana from an XDP program";
    license = [
      lib.licenses.asl20
      lib.licenses.mit
    ];
    mainProgram = "xdp-streamer";
    platforms = lib.platforms.linux;
  };
}
