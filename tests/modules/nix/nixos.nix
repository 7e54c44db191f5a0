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
    packages:
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
        _module.args.pkgs =
          if packages != null then
            packages
          else
            (packagesOf config.nixpkgs.hostPlatform).appendOverlays config.nixpkgs.overlays;
        nixpkgs = lib.optionalAttrs (packages == null) { overlays = [ ]; };

        # nixos/modules/system/activation/top-level.nix
        system.build.toplevel = lib.asserts.checkAssertWarn config.assertions config.warnings (
          assert forceDefined options;
          derivation {
            name = "nixos-system-${config.networking.hostName}";
            system = "harness";
            builder = "/not/built/here";
          }
        );

        # nixos/modules/system/boot/kernel.nix: nixpkgs' kernels, which have `features`, are taken to have everything.
        lib.kernelConfig = {
          isYes = option: {
            assertion = kernel: kernel.isYes option;
            message = "CONFIG_${option} is not yes!";
            configLine = "CONFIG_${option}=y";
          };
          isEnabled = option: {
            assertion = kernel: kernel.isEnabled option;
            message = "CONFIG_${option} is not enabled!";
            configLine = "CONFIG_${option}=y";
          };
        };
        assertions =
          let
            packages = if options.boot.kernelPackages.isDefined then config.boot.kernelPackages else { };
            kernel = packages.kernel or { features = { }; };
          in
          lib.optionals (!kernel ? features) (
            map (required: {
              assertion = required.assertion kernel.config;
              inherit (required) message;
            }) config.system.requiredKernelConfig
          );

        # Defaults that our modules read.
        boot.initrd.systemd.emergencyAccess = lib.mkOptionDefault false;
        systemd.sysusers.enable = lib.mkOptionDefault false;

        boot.loader.generic-extlinux-compatible.populateCmd = "/not/built/here/extlinux-conf-builder";
        nix.package = pkgs.nix;
        systemd.package = pkgs.systemd;
      };
    };
in
{
  modules,
  specialArgs ? { },
  # Given, it is final: nothing under `nixpkgs` may then be set (nixos/modules/misc/nixpkgs/read-only.nix).
  packages ? null,
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
      (base packages)
      ./k3s-unit.nix
    ]
    ++ modules;
  };
in
assert
  packages != null
  ->
    lib.all
      (
        name:
        !system.options.nixpkgs.${name}.isDefined
        || throw "the packages are given, nixpkgs.${name} is read-only"
      )
      [
        "buildPlatform"
        "config"
        "hostPlatform"
        "overlays"
      ];
system // { inherit (system._module.args) pkgs; }
