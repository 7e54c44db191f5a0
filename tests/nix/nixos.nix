# `nixpkgs.lib.nixosSystem` with the real module system and real option types, over packages that are only names.
{
  lib,
  packagesOf,
  declarations,
}:
let
  # Checks each value that somebody set, whether or not anything reads it.
  forceDefined =
    options:
    lib.all (
      name:
      let
        option = options.${name};
      in
      if name == "_module" then
        true
      else if lib.isOption option then
        # The system itself is in system.build.
        lib.showOption option.loc == "system.build"
        || !option.isDefined
        || builtins.deepSeq option.value true
      else
        forceDefined option
    ) (builtins.attrNames options);

  # What NixOS says of itself, as far as our modules read it.
  base =
    {
      config,
      options,
      pkgs,
      ...
    }:
    {
      options = {
        # nixos/modules/misc/assertions.nix
        assertions = lib.mkOption {
          type = lib.types.listOf lib.types.unspecified;
          default = [ ];
        };
        warnings = lib.mkOption {
          type = lib.types.listOf lib.types.str;
          default = [ ];
        };
      };

      config = {
        _module.args.pkgs = lib.mkDefault (
          (packagesOf config.nixpkgs.hostPlatform).appendOverlays config.nixpkgs.overlays
        );
        nixpkgs.overlays = [ ];

        # nixos/modules/system/activation/top-level.nix
        system.build.toplevel = lib.asserts.checkAssertWarn config.assertions config.warnings (
          assert forceDefined options;
          derivation {
            name = "nixos-system-${config.networking.hostName}";
            system = "harness";
            builder = "/not/built/here";
          }
        );

        boot.loader.generic-extlinux-compatible.populateCmd = "/not/built/here/extlinux-conf-builder";
        nix.package = pkgs.nix;
        systemd.package = pkgs.systemd;
      };
    };
in
{
  modules,
  specialArgs ? { },
}:
let
  system = lib.evalModules {
    class = "nixos";
    specialArgs = {
      modulesPath = toString ./nixpkgs/nixos/modules;
    }
    // specialArgs;
    modules = [
      { inherit (declarations) options; }
      base
      ./k3s-unit.nix
    ]
    ++ modules;
  };
in
system // { inherit (system._module.args) pkgs; }
