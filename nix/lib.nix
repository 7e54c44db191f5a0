# For this flake and for those that take it as an input.
{ self, lib }:
{
  # The hosts that `rk1 render` wrote to a directory, as nixosConfigurations. Their servers apply what it wrote to
  # `manifests` beside that directory.
  mkCluster =
    directory:
    let
      manifests = dirOf directory + "/manifests";
    in
    lib.mapAttrs (
      name: host:
      lib.nixosSystem {
        modules = [
          self.nixosModules.default
          host
          (
            { config, ... }:
            {
              rk1.manifests.directory = lib.mkIf (builtins.pathExists manifests) manifests;
              assertions = [
                {
                  assertion = config.networking.hostName == name;
                  message = "the host `${name}` calls itself `${config.networking.hostName}`: `nixos-rebuild` finds a host by its name, so make networking.hostName `${name}`.";
                }
              ];
            }
          )
        ];
      }
    ) (import directory);

  # Their flashable images.
  mkImages = nixosConfigurations: import ../images { inherit lib nixosConfigurations; };
}
