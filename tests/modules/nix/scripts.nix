# The environment of each script of a host: the packages and programs on its path, and its text or the command that names
# its file.
{ lib }:
let
  # stage2ServiceConfig in nixos/lib/systemd-lib.nix
  everyService = [
    "coreutils"
    "findutils"
    "gnugrep"
    "gnused"
    "systemd"
  ];
  # boot.initrd.systemd.initrdBin in nixos/modules/system/boot/systemd/initrd.nix
  everyInitrd = [
    "coreutils"
    "systemd"
  ];
  # pkgs/stdenv/generic/common-path.nix
  everyBuild = [
    "bash"
    "coreutils"
    "diffutils"
    "findutils"
    "gnugrep"
    "gnused"
    "xz"
  ];

  names = map (package: package.name);
  command =
    service:
    let
      text = service.serviceConfig.ExecStart or "";
    in
    if builtins.isList text then lib.last text else text;
  textOf = service: if builtins.isString service.script then service.script else command service;

  ofService = service: {
    packages = everyService ++ lib.optionals (builtins.isList service.path) (names service.path);
    script = textOf service;
  };
  ofInitrd = extraBin: service: {
    packages = everyInitrd;
    programs = builtins.attrNames extraBin;
    script = textOf service;
  };
  ofBuild = derivation: {
    packages = everyBuild ++ names (derivation.nativeBuildInputs or [ ]);
    script = lib.last derivation.args;
  };
in
{ config, ... }:
let
  inherit (config.boot.initrd) systemd;
  built = lib.filterAttrs (_: manifest: manifest.source ? args) config.services.k3s.manifests;
in
lib.mapAttrs (_: ofService) config.systemd.services
// lib.mapAttrs' (
  name: service: lib.nameValuePair "initrd ${name}" (ofInitrd systemd.extraBin service)
) systemd.services
// lib.mapAttrs (_: manifest: ofBuild manifest.source) built
// {
  image = ofBuild config.system.build.rk1Image;
}
