# What can be said of k3s; k3s.nix does it.
{ lib, ... }:
let
  types = lib.types // import ./types.nix { inherit lib; };
in
{
  options.rk1.k3s = {
    enable = lib.mkOption {
      type = types.bool;
      default = true;
      example = false;
      description = "Whether the node runs k3s.";
    };

    release = lib.mkOption {
      type = types.strMatching "[0-9]+\\.[0-9]+";
      description = "Minor release of k3s. `1.36` takes `pkgs.k3s_1_36`.";
      example = "1.36";
    };

    role = lib.mkOption {
      type = types.enum [
        "server"
        "agent"
      ];
      description = "Whether the node runs the control plane (`server`) or only workloads (`agent`).";
      example = "agent";
    };

    clusterInit = lib.mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = ''
        Whether this server starts the cluster, with etcd embedded. True on the first server alone.
      '';
    };

    serverAddr = lib.mkOption {
      type = types.nullOr (types.strMatching "https://[^[:space:]]+:[0-9]+");
      default = null;
      example = "https://192.0.2.11:6443";
      description = "Server that the node joins by.";
    };

    tokenFile = lib.mkOption {
      type = types.secretFile;
      description = ''
        File on the node that holds the cluster's token. Put there at flash time; never in the store.
      '';
      example = "/var/lib/rk1/secrets/k3s-token";
    };

    podCidr = lib.mkOption {
      type = types.ipv4Network;
      description = "Network of the pods.";
      example = "10.42.0.0/16";
    };

    serviceCidr = lib.mkOption {
      type = types.ipv4Network;
      description = "Network of the services.";
      example = "10.43.0.0/16";
    };

    disable = lib.mkOption {
      type = types.listOf (types.strMatching "[a-z0-9-]+");
      default = [
        "servicelb"
        "local-storage"
        "traefik"
      ];
      example = [ "traefik" ];
      description = ''
        Packaged components of k3s that servers leave out. Cilium announces services and serves the gateway; two
        controllers for one service fight over its address.
      '';
    };

    writeKubeconfigMode = lib.mkOption {
      type = types.strMatching "0?[0-7]{3}";
      default = "600";
      example = "644";
      description = ''
        Mode of `/etc/rancher/k3s/k3s.yaml`, which holds the administrator's key. With `644` every local account can
        read it.
      '';
    };

    tlsSans = lib.mkOption {
      type = types.listOf (types.either types.ipAddress types.domainName);
      default = [ ];
      example = [ "api.example.org" ];
      description = "Further names and addresses that the API's certificate is made out to.";
    };
  };
}
