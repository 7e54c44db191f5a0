# Options of the Kubernetes Secrets.
{ lib, ... }:
let
  types = lib.types // import ../types.nix { inherit lib; };
in
{
  options.rk1.kubernetesSecrets = lib.mkOption {
    default = { };
    description = ''
      Keys of Secrets that the servers create in the cluster. A server applies them after k3s has started, and again
      whenever the file changes. One line break at the end of the file is left out. A Secret with several keys has an
      entry for each of them, with the same `name`.
    '';
    example = {
      azure-dns-secret = {
        namespace = "cert-manager";
        key = "azure_client_secret";
        file = "/var/lib/rk1/secrets/azure-dns";
      };
    };
    type = types.attrsOf (
      types.submodule (
        { name, ... }:
        {
          options = {
            name = lib.mkOption {
              type = types.domainName;
              default = name;
              defaultText = lib.literalMD "the name of the attribute";
              description = "Name of the Secret.";
              example = "azure-dns-secret";
            };

            namespace = lib.mkOption {
              type = types.hostName;
              description = "Namespace of the Secret. It is created if it does not exist.";
              example = "cert-manager";
            };

            key = lib.mkOption {
              type = types.strMatching "[A-Za-z0-9._-]+";
              description = "Key whose value is the file's content.";
              example = "password";
            };

            type = lib.mkOption {
              type = types.strMatching "[A-Za-z0-9./-]+";
              default = "Opaque";
              example = "kubernetes.io/dockerconfigjson";
              description = "Type of the Secret, which Kubernetes lets nobody change later.";
            };

            file = lib.mkOption {
              type = types.secretFile;
              description = "File on the node. It gets there when the node is flashed, never through the Nix store.";
              example = "/var/lib/rk1/secrets/azure-dns";
            };
          };
        }
      )
    );
  };
}
