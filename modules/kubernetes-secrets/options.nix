# Which Secrets are made, and from which files.
{ lib, ... }:
let
  types = lib.types // import ../types.nix { inherit lib; };
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
}
