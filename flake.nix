{
  description = "NixOS hosts, Kubernetes manifests and images for Turing RK1 clusters, from one file";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    # For k3s alone, where the release lacks the one that the cluster asks for: see nix/overlay.nix.
    nixpkgs-unstable.url = "github:NixOS/nixpkgs/nixos-unstable";
  };

  outputs =
    {
      self,
      nixpkgs,
      nixpkgs-unstable,
    }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "aarch64-linux"
        "x86_64-linux"
      ];
      eachSystem =
        make:
        lib.genAttrs systems (system: make (nixpkgs.legacyPackages.${system}.extend self.overlays.default));
    in
    {
      lib = import ./nix/lib.nix { inherit self lib; };

      nixosModules.default = {
        imports = [
          ./modules
          ./images/system.nix
        ];
        nixpkgs.overlays = [ self.overlays.default ];
      };

      nixosConfigurations = self.lib.mkCluster ./hosts;

      overlays.default = import ./nix/overlay.nix { inherit nixpkgs-unstable; };

      # An image is the same whatever builds it: an x86_64 machine needs an aarch64 builder or binfmt.
      packages = eachSystem (
        pkgs: self.lib.mkImages self.nixosConfigurations // { inherit (pkgs) rk1 xdp-streamer; }
      );

      checks = eachSystem (pkgs: import ./nix/checks.nix { inherit self lib pkgs; });

      devShells = eachSystem (pkgs: {
        default = import ./nix/shell.nix { inherit pkgs; };
      });

      formatter = eachSystem (pkgs: pkgs.nixfmt-tree);

      templates.default = {
        path = ./templates/cluster;
        description = "A cluster of your own, with this flake as its input";
      };
    };
}
