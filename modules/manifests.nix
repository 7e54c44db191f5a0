# What k3s applies when it has started: the rendered manifests, and the charts and definitions that they name.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  types = lib.types // import ./types.nix { inherit lib; };
  cfg = config.rk1.manifests;
  k3s = config.rk1.k3s;

  file = name: cfg.directory + "/${name}";
  names = builtins.filter (lib.hasSuffix ".yaml") (
    builtins.attrNames (builtins.readDir cfg.directory)
  );
  charts = import (file "charts.nix");
  isPinned = _: chart: chart != null;

  # The Gateway API's definitions as one file: k3s applies it before the others, and tries these until it has them.
  definitions = pkgs.runCommand "gateway-api-crds.yaml" {
    files = map pkgs.fetchurl (import (file "00-gateway-api-crds.nix"));
  } (builtins.readFile ./manifests/join-definitions.sh);
in
{
  imports = [ ./manifests/retired.nix ];

  options.rk1.manifests.directory = lib.mkOption {
    type = types.nullOr types.path;
    default = null;
    example = lib.literalExpression "./manifests";
    description = ''
      Directory that `rk1 render` wrote the manifests to; servers put its files in place for k3s. Null leaves the
      cluster without a network until somebody installs one.
    '';
  };

  config = lib.mkIf (k3s.enable && k3s.role == "server" && cfg.directory != null) {
    services.k3s = {
      manifests = {
        "00-gateway-api-crds.yaml".source = definitions;
      }
      // lib.genAttrs names (name: {
        source = file name;
      });
      charts = lib.mapAttrs (_: pkgs.fetchurl) (lib.filterAttrs isPinned charts);
    };

    warnings = map (name: ''
      pins.json has no hash of the chart ${name}: the cluster will fetch it itself, unchecked.
      `rk1 pin` looks the hash up; then run `rk1 render` again.
    '') (builtins.attrNames (lib.filterAttrs (name: chart: !isPinned name chart) charts));
  };
}
