# Settings of servers. An agent gets them from its server, and k3s refuses a server's flag on an agent.
{ config, lib, ... }:
let
  types = lib.types // import ../types.nix { inherit lib; };
  cfg = config.rk1.k3s;
  inherit (config.rk1) ipv6;
  bothFamilies = import ./both-families.nix ipv6;
in
{
  options.rk1.k3s = {
    podCidr = lib.mkOption {
      type = types.ipv4Network;
      description = "IPv4 network of the pods. Each node takes a part of it.";
      example = "10.42.0.0/16";
    };

    serviceCidr = lib.mkOption {
      type = types.ipv4Network;
      description = "IPv4 network of the services.";
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
        Packaged components of k3s that servers do not deploy. Cilium announces the services' addresses and serves the
        gateway, and two controllers would compete for a service's address.
      '';
    };

    writeKubeconfigMode = lib.mkOption {
      type = types.strMatching "0?[0-7]{3}";
      default = "600";
      example = "644";
      description = ''
        Mode of `/etc/rancher/k3s/k3s.yaml`, which contains the administrator's key. With `644`, every account of the node can
        read it.
      '';
    };

    tlsSans = lib.mkOption {
      type = types.listOf (types.either types.ipAddress types.domainName);
      default = [ ];
      example = [ "api.example.org" ];
      description = "Additional names and addresses in the certificate of the API server.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.k3s = lib.mkIf (cfg.role == "server") {
      inherit (cfg) disable;
      extraFlags = [
        "--flannel-backend=none"
        "--disable-network-policy"
        "--disable-cloud-controller"
        "--disable-kube-proxy"
        "--write-kubeconfig-mode ${cfg.writeKubeconfigMode}"
        "--cluster-cidr ${bothFamilies cfg.podCidr ipv6.podCidr}"
        "--service-cidr ${bothFamilies cfg.serviceCidr ipv6.serviceCidr}"
      ]
      ++ map (name: "--tls-san ${name}") cfg.tlsSans;
    };

    assertions = [
      {
        assertion = cfg.podCidr != cfg.serviceCidr;
        message = "rk1.k3s: podCidr and serviceCidr are both ${cfg.podCidr}: give pods and services networks of their own.";
      }
    ];
  };
}
