# An overlay for trees that have only a part of nixpkgs' packages. Each missing package becomes a derivation that nobody can
# build, so that hosts can be evaluated as far as their derivations. With all of nixpkgs, this overlay changes nothing.
{ lib }:
let
  names = lib.importJSON ./stand-ins.json;

  standIn =
    stdenv: name:
    let
      package =
        derivation {
          inherit name;
          inherit (stdenv.hostPlatform) system;
          builder = "/not/built/here";
        }
        // {
          pname = name;
          version = "0";
          meta.mainProgram = name;
          passthru = { };
          inherit stdenv;
          override = _: package;
          overrideAttrs = _: package;
          # writeShellApplication asks shellcheck for this.
          compiler.bootstrapAvailable = true;
        };
      outputs = lib.genAttrs [
        "out"
        "bin"
        "dev"
        "ga"
        "lib"
        "man"
        "doc"
        "info"
      ] (_: package);
    in
    package // outputs;

  # A format of pkgs.formats. What it writes proves nothing.
  format = final: _: {
    type = lib.types.attrsOf lib.types.anything;
    lib = { };
    generate = name: value: final.writeText name (builtins.toJSON value);
  };
in
final: prev:
let
  missing = lib.filter (name: !prev ? ${name}) names.missing;
in
lib.optionalAttrs (missing != [ ]) (
  lib.genAttrs (missing ++ names.unusable) (standIn prev.stdenv)
  // {
    # The mark by which option types recognize a package set.
    _type = "pkgs";
    xorg = lib.genAttrs [ "lndir" "xauth" "xkeyboardconfig" ] (standIn prev.stdenv);
    nixos-artwork.wallpapers.simple-dark-gray-bootloader.gnomeFilePath = "/not/built/here";
    # Functions that NixOS's modules call with the arguments of their own release.
    aggregateModules = _: standIn prev.stdenv "kernel-modules";
    makeDBusConf = _: standIn prev.stdenv "dbus-conf";
    makeInitrdNG = _: standIn prev.stdenv "initrd";
    makeModulesClosure = _: standIn prev.stdenv "modules-closure";
  }
  // lib.optionalAttrs (!prev ? formats) {
    formats = lib.genAttrs [
      "elixirConf"
      "hocon"
      "ini"
      "iniWithGlobalSection"
      "javaProperties"
      "json"
      "keyValue"
      "libconfig"
      "lua"
      "php"
      "pythonVars"
      "toml"
      "xml"
      "yaml"
    ] (_: format final);
  }
)
