{
  description = "A Turing RK1 cluster";

  # The address of the rk1 flake that builds this cluster.
  inputs.rk1.url = "path:/path/to/rk1";

  outputs =
    { self, rk1 }@inputs:
    {
      # `rk1 render` writes hosts/ beside this file.
      nixosConfigurations = rk1.lib.mkCluster {
        hosts = ./hosts;
        # Modules for every host, such as `inputs.sops-nix.nixosModules.sops`.
        modules = [ ];
        specialArgs = { inherit inputs; };
      };

      # `nix build .#<host>` builds a host's image; `nix run .#rk1` runs rk1 itself.
      packages =
        builtins.mapAttrs
          (
            system: programs:
            {
              inherit (programs) rk1;
              default = programs.rk1;
            }
            // rk1.lib.mkImages self.nixosConfigurations
          )
          {
            inherit (rk1.packages) aarch64-darwin aarch64-linux x86_64-linux;
          };
    };
}
