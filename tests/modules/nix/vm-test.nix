# `testers.runNixOSTest`: every machine is evaluated, the script must be there, nothing runs.
{
  lib,
  nixos,
  system,
  pkgs,
}:
test:
let
  # nixos/lib/testing/{name,nodes,testScript,meta}.nix
  interface =
    { config, ... }:
    {
      options = {
        name = lib.mkOption { type = lib.types.str; };
        nodes = lib.mkOption {
          type = lib.types.lazyAttrsOf lib.types.deferredModule;
          default = { };
        };
        defaults = lib.mkOption {
          type = lib.types.deferredModule;
          default = { };
        };
        testScript = lib.mkOption {
          type = lib.types.either lib.types.str (lib.types.functionTo lib.types.str);
        };
        machines = lib.mkOption {
          internal = true;
          type = lib.types.raw;
        };
      };
      config.machines = lib.mapAttrs (
        name: module:
        nixos {
          packages = pkgs;
          modules = [
            module
            config.defaults
            { networking.hostName = lib.mkDefault name; }
          ];
        }
      ) config.nodes;
    };
  evaluated =
    (lib.evalModules {
      modules = [
        interface
        test
      ];
    }).config;
  script =
    if builtins.isString evaluated.testScript then
      evaluated.testScript
    else
      evaluated.testScript { nodes = lib.mapAttrs (_: machine: machine.config) evaluated.machines; };
in
derivation {
  name = "vm-test-run-${evaluated.name}";
  inherit system script;
  machines = lib.mapAttrsToList (_: machine: machine.config.system.build.toplevel) evaluated.machines;
  builder = "/not/built/here";
}
// {
  inherit (evaluated) machines;
}
