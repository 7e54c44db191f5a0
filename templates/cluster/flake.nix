{
  description = "A Turing RK1 cluster";

  # The address of the rk1 flake that this cluster is built with.
  inputs.rk1.url = "path:/path/to/rk1";

  outputs =
    { self, rk1 }:
    {
      # hosts/ is what `rk1 render` writes beside this file.
      nixosConfigurations = rk1.lib.mkCluster ./hosts;
      packages = builtins.mapAttrs (_: programs: programs // rk1.lib.mkImages self.nixosConfigurations) {
        inherit (rk1.packages) aarch64-linux x86_64-linux;
      };
    };
}
