# Configuration files of k3s that contain secrets. The node makes them in memory: neither the Nix store nor a disk has them.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  types = lib.types // import ../types.nix { inherit lib; };
  cfg = config.rk1.k3s;
  templates = lib.mapAttrs (
    name: content: pkgs.writeText "k3s-${name}.json" (builtins.toJSON content)
  ) cfg.configFiles;
  isSecret = value: builtins.isAttrs value && value ? _secret;
  secrets = lib.unique (map (secret: secret._secret) (lib.collect isSecret cfg.configFiles));
in
{
  options.rk1.k3s = {
    configFiles = lib.mkOption {
      type = types.attrsOf (types.attrsOf types.anything);
      default = { };
      example = {
        "registries.yaml".configs."registry.example.org".auth.token._secret =
          "/var/lib/rk1/secrets/registry-token";
      };
      description = ''
        Configuration files of k3s that the node makes before k3s starts. A set with the only attribute `_secret` stands for
        the content of a file on the node.
      '';
    };

    configDirectory = lib.mkOption {
      type = types.secretFile;
      default = "/run/rk1-k3s";
      readOnly = true;
      example = "/run/rk1-k3s";
      description = "Directory of these files. Only root can read it.";
    };
  };

  config = lib.mkIf (cfg.enable && cfg.configFiles != { }) {
    rk1.secrets.readers = [ "k3s-config.service" ];

    assertions = map (secret: {
      assertion = types.secretFile.check secret;
      message = "rk1.k3s.configFiles: ${toString secret} is not an absolute path on the node, outside the Nix store";
    }) secrets;

    systemd.services = {
      # k3s reads the files only when it starts.
      k3s.restartTriggers = builtins.attrValues templates;

      k3s-config = {
        description = "Make the configuration files of k3s that contain secrets";
        # Not required: without a password of a registry, k3s runs all the same.
        wantedBy = [ "k3s.service" ];
        before = [ "k3s.service" ];
        after = [ "node-secrets.service" ];
        path = [
          pkgs.diffutils
          pkgs.jq
        ];
        environment = {
          FILES = toString (lib.mapAttrsToList (name: template: "${name}=${template}") templates);
          SECRETS = toString secrets;
        };
        serviceConfig = import ../systemctl-sandbox.nix // {
          Type = "oneshot";
          RuntimeDirectory = baseNameOf cfg.configDirectory;
          RuntimeDirectoryMode = "0700";
          RuntimeDirectoryPreserve = true;
        };
        script = builtins.readFile ./config-files.sh;
      };
    };

    systemd.paths.k3s-config = lib.mkIf (secrets != [ ]) {
      description = "Watch the secrets in the configuration files of k3s";
      wantedBy = [ "multi-user.target" ];
      pathConfig.PathChanged = secrets;
    };
  };
}
