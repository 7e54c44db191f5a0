{
  description = "NixOS hosts, Kubernetes manifests and images for Turing RK1 clusters, from one file";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    # Only for k3s, if the release lacks the version that the cluster asks for: see nix/overlay.nix.
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
      linux = [
        "aarch64-linux"
        "x86_64-linux"
      ];
      systems = linux ++ [ "aarch64-darwin" ];
      forSystems =
        systems: make:
        lib.genAttrs systems (system: make (nixpkgs.legacyPackages.${system}.extend self.overlays.default));
      eachSystem = forSystems systems;
      systemOf = pkgs: pkgs.stdenv.hostPlatform.system;
    in
    {
      lib = import ./nix/lib.nix { inherit self lib; };

      nixosModules = {
        # A node of a cluster.
        default = {
          imports = [
            ./modules
            ./images/system.nix
          ];
          nixpkgs.overlays = [ self.overlays.default ];
        };

        # The streamer alone, for any NixOS machine.
        xdp-streamer =
          { lib, pkgs, ... }:
          {
            imports = [ ./modules/xdp-streamer.nix ];
            rk1.streamer.package = lib.mkDefault self.packages.${systemOf pkgs}.xdp-streamer;
          };
      };

      nixosConfigurations = self.lib.mkCluster { hosts = ./hosts; };

      overlays.default = import ./nix/overlay.nix {
        inherit nixpkgs-unstable;
        revision = self.shortRev or self.dirtyShortRev or null;
      };

      # An image is the same on every machine that builds it. An x86_64 machine needs an aarch64 builder or binfmt, a Mac a
      # Linux builder.
      packages = eachSystem (
        pkgs:
        self.lib.mkImages self.nixosConfigurations
        // {
          inherit (pkgs) rk1;
          default = pkgs.rk1;
        }
        // lib.optionalAttrs pkgs.stdenv.hostPlatform.isLinux (
          self.lib.mkVms self.nixosConfigurations (systemOf pkgs) // { inherit (pkgs) xdp-streamer; }
        )
      );

      apps = eachSystem (
        pkgs:
        let
          run = program: description: {
            type = "app";
            inherit program;
            meta = { inherit description; };
          };
          outputs = self.packages.${systemOf pkgs};
        in
        rec {
          default = rk1;
          rk1 = run (lib.getExe outputs.rk1) "Describe, render and run clusters of Turing RK1 modules";
        }
        // lib.optionalAttrs pkgs.stdenv.hostPlatform.isLinux {
          vm = run (lib.getExe outputs.vm-rk1-01) "Start the example's first host as a virtual machine";
        }
      );

      # Cheap: it builds no program and needs no KVM.
      checks = eachSystem (pkgs: import ./nix/checks.nix { inherit self lib pkgs; });

      # `nix build .#tests.storage`
      legacyPackages = forSystems linux (pkgs: {
        tests = import ./nix/tests.nix { inherit pkgs; };
      });

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
