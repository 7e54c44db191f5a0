# The flake as `nix flake check` would see it, with stand-ins for nixpkgs and for what NixOS declares.
# `data` is the directory with the lists of options.
{ data }:
let
  # Nix before 2.14 cannot ask for one file's type; its directory can, but for the store's own.
  lib = (import <nixpkgs/lib>).extend (
    _: previous:
    if builtins ? readFileType then
      { }
    else
      {
        filesystem = previous.filesystem // {
          pathType =
            path:
            if toString (dirOf path) == builtins.storeDir then
              "directory"
            else
              (builtins.readDir (dirOf path)).${baseNameOf path};
        };
      }
  );
  surface = builtins.fromJSON (builtins.readFile ./surface.json);

  manual = builtins.fromJSON (builtins.readFile "${data}/nixos-options-2024-12.json");
  words = builtins.fromJSON (builtins.readFile ./k3s-type-words.json);
  # services.k3s is another module by now; its list has types in lib's words, and defaults.
  k3s =
    lib.mapAttrsToList
      (
        name: option:
        {
          name = lib.replaceStrings [ "<name>" ] [ "_name_" ] name;
          type = words.${option.type};
        }
        // lib.optionalAttrs (option ? default && option.type != "package" && !lib.hasInfix "<name>" name) {
          inherit (option) default;
        }
      )
      (removeAttrs (builtins.fromJSON (builtins.readFile "${data}/k3s-options-2026.json")) [ "_source" ]);
  withParents = k3s ++ [
    {
      name = "services.k3s.manifests";
      type = "attribute set of (submodule)";
      default = { };
    }
    {
      name = "services.k3s.autoDeployCharts";
      type = "attribute set of (submodule)";
      default = { };
    }
  ];
  typed = map (
    entry:
    entry
    // {
      type = if entry.type or null == null then "none" else entry.type;
    }
  ) manual;

  declarations = import ./declarations.nix { inherit lib; } (
    builtins.filter (entry: !lib.hasPrefix "services.k3s." entry.name) typed
    ++ withParents
    ++ surface.options
  );

  packagesOf = import ./packages.nix { inherit lib surface nixos; };
  nixos = import ./nixos.nix {
    inherit lib declarations;
    packagesOf = packagesOf "nixpkgs";
  };

  channel = name: {
    lib = lib // {
      nixosSystem = nixos;
    };
    legacyPackages = lib.genAttrs [
      "aarch64-darwin"
      "aarch64-linux"
      "x86_64-linux"
    ] (packagesOf name);
  };

  flake = ../../../flake.nix;
  outputs = (import flake).outputs {
    self = outputs // {
      outPath = toString ../../..;
    };
    nixpkgs = channel "nixpkgs";
    nixpkgs-unstable = channel "nixpkgs-unstable";
  };
in
{
  inherit
    lib
    surface
    declarations
    flake
    outputs
    ;
  packages = packagesOf "nixpkgs" "aarch64-linux";
  # Evaluates hosts of another directory or file as far as their systems.
  evaluate =
    hosts: lib.mapAttrs (_: host: host.config.system.build.toplevel.name) (outputs.lib.mkCluster hosts);
}
