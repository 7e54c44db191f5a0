# Functions of this flake, which a cluster's own flake calls as `rk1.lib`.
{ self, lib }:
{
  # nixosConfigurations of the hosts that `rk1 render` wrote.
  #
  # hosts        the directory with the rendered hosts, or a file that returns hosts by name
  # modules      NixOS modules for every host, such as those of sops-nix
  # specialArgs  arguments for every module, such as `{ inherit inputs; }`
  #
  # The servers apply the manifests in the directory `manifests` beside `hosts`. `mkCluster ./hosts` is a short form.
  mkCluster =
    argument:
    let
      isShort = builtins.isPath argument || builtins.isString argument;
      cluster = if isShort then { hosts = argument; } else argument;
      build =
        {
          hosts,
          modules ? [ ],
          specialArgs ? { },
        }:
        let
          manifests = dirOf hosts + "/manifests";
        in
        lib.mapAttrs (
          name: host:
          lib.nixosSystem {
            inherit specialArgs;
            modules = [
              self.nixosModules.default
              host
              (
                { config, ... }:
                {
                  rk1.manifests.directory = lib.mkIf (builtins.pathExists manifests) (lib.mkDefault manifests);
                  assertions = [
                    {
                      assertion = config.networking.hostName == name;
                      message = "the host `${name}` sets networking.hostName to `${config.networking.hostName}`, and `nixos-rebuild` selects a host by its name: set it to `${name}`.";
                    }
                  ];
                }
              )
            ]
            ++ modules;
          }
        ) (import hosts);
    in
    build cluster;

  # The flashable images of some hosts, by the hosts' names.
  mkImages = nixosConfigurations: import ../images { inherit lib nixosConfigurations; };

  # Virtual machines of some hosts, as `vm-<host>`, for an x86_64 or aarch64 machine with QEMU.
  mkVms =
    nixosConfigurations: system:
    lib.mapAttrs' (
      name: host:
      lib.nameValuePair "vm-${name}"
        (host.extendModules {
          modules = [
            ./vm.nix
            { nixpkgs.hostPlatform = system; }
          ];
        }).config.system.build.vm
    ) nixosConfigurations;
}
