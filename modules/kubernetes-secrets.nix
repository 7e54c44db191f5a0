# Kubernetes Secrets made from files of the node, so that no manifest holds one.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  types = lib.types // import ./types.nix { inherit lib; };
  cfg = config.rk1.kubernetesSecrets;
  k3s = config.rk1.k3s;
  unit = name: "kubernetes-secret-${name}";
in
{
  options.rk1.kubernetesSecrets = lib.mkOption {
    default = { };
    description = ''
      Secrets that servers make in the cluster, each of one key: when k3s has started, and again whenever the file
      changes. A line end behind the file's last line is left out.
    '';
    example = {
      azure-dns-secret = {
        namespace = "cert-manager";
        key = "azure_client_secret";
        file = "/var/lib/rk1/secrets/azure-dns";
      };
    };
    type = types.attrsOf (
      types.submodule {
        options = {
          namespace = lib.mkOption {
            type = types.hostName;
            description = "Namespace of the Secret. It is made if there is none.";
            example = "cert-manager";
          };

          key = lib.mkOption {
            type = types.strMatching "[A-Za-z0-9._-]+";
            description = "Key that holds the file's text.";
            example = "password";
          };

          file = lib.mkOption {
            type = types.secretFile;
            description = "File on the node. Put there at flash time; never in the store.";
            example = "/var/lib/rk1/secrets/azure-dns";
          };
        };
      }
    );
  };

  config = lib.mkIf (k3s.enable && k3s.role == "server") {
    rk1.secrets.readers = map (name: "${unit name}.service") (builtins.attrNames cfg);

    systemd.services = lib.mapAttrs' (
      name: secret:
      lib.nameValuePair (unit name) {
        description = "Make the Kubernetes Secret ${name}";
        wantedBy = [ "multi-user.target" ];
        after = [
          "k3s.service"
          "node-secrets.service"
        ];
        unitConfig = {
          # Without the file there is nothing to make; the path unit starts this once it is there.
          ConditionPathExists = secret.file;
          # The API may be long in coming: a server that joins waits for the others.
          StartLimitIntervalSec = 0;
        };
        path = [
          config.services.k3s.package
          pkgs.jq
        ];
        environment = {
          KUBECONFIG = "/etc/rancher/k3s/k3s.yaml";
          NAME = name;
          NAMESPACE = secret.namespace;
          KEY = secret.key;
          FILE = secret.file;
        };
        serviceConfig = {
          Type = "oneshot";
          Restart = "on-failure";
          RestartSec = 10;
          UMask = "0077";
        };
        script = builtins.readFile ./kubernetes-secret.sh;
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
