# Kubernetes Secrets that servers create from files of the node, so that no manifest contains a secret.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.rk1.kubernetesSecrets;
  k3s = config.rk1.k3s;
  unit = name: "kubernetes-secret-${name}";
in
{
  imports = [ ./kubernetes-secrets/options.nix ];

  config = lib.mkIf (k3s.enable && k3s.role == "server") {
    rk1.secrets.readers = map (name: "${unit name}.service") (builtins.attrNames cfg);

    systemd.services = lib.mapAttrs' (
      name: secret:
      lib.nameValuePair (unit name) {
        description = "Apply the Kubernetes Secret ${name}";
        wantedBy = [ "multi-user.target" ];
        after = [
          "k3s.service"
          "node-secrets.service"
        ];
        unitConfig = {
          # The path unit starts this service when the file appears.
          ConditionPathExists = secret.file;
          # The API server can take long to start: a server that joins waits for the others.
          StartLimitIntervalSec = 0;
        };
        path = [
          config.services.k3s.package
          pkgs.jq
        ];
        environment = {
          KUBECONFIG = "/etc/rancher/k3s/k3s.yaml";
          NAME = secret.name;
          # Each key has a manager of its own, so that the keys of one Secret do not remove each other.
          MANAGER = if secret.name == name then "rk1" else "rk1-${name}";
          NAMESPACE = secret.namespace;
          KEY = secret.key;
          FILE = secret.file;
          TYPE = secret.type;
        };
        serviceConfig = import ./kubernetes-client.nix // {
          Type = "oneshot";
          Restart = "on-failure";
          RestartSec = 10;
        };
        script = builtins.readFile ./kubernetes-secrets/apply.sh;
      }
    ) cfg;

    systemd.paths = lib.mapAttrs' (
      name: secret:
      lib.nameValuePair (unit name) {
        description = "Watch the file of the Kubernetes Secret ${name}";
        wantedBy = [ "multi-user.target" ];
        pathConfig.PathChanged = secret.file;
      }
    ) cfg;
  };
}
