# The rendered manifests that k3s applies, with the charts and the custom resource definitions that they need.
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

  # The Gateway API's definitions, in one file. k3s applies files by name, so this one first, and retries those that fail.
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
      Directory with the manifests that `rk1 render` wrote. Servers pass them to k3s. Null leaves the cluster without a
      pod network until somebody installs one.
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
      pins.json has no hash of the chart ${name}: the cluster will download it without a check.
      Run `rk1 pin`, which looks the hash up, and then `rk1 render`.
    '') (builtins.attrNames (lib.filterAttrs (name: chart: !isPinned name chart) charts));
  };
}
