# Rendered from cluster.toml by `rk1 render`: edit that file, or write cluster.local.nix beside this one.
# The settings that all nodes share.
{ lib, ... }:
{
  imports = lib.optional (builtins.pathExists ./cluster.local.nix) ./cluster.local.nix;

  rk1 = {
    cluster = {
      name = "rack";
      domain = "example.org";
      nodes = {
        rack-1 = "10.10.0.11";
        rack-2 = "10.10.0.12";
        rack-3 = "10.10.0.13";
        rack-4 = "10.10.0.14";
        rack-5 = "10.10.0.15";
        rack-6 = "10.10.0.16";
        rack-7 = "10.10.0.17";
        rack-8 = "10.10.0.18";
      };
      servers = [
        "rack-1"
        "rack-2"
        "rack-5"
      ];
    };

    base.authorizedKeys = [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAY/kNyFmMQbbcz9I7YHgLwzmt0tNdwxjpCkcJICE/mk example key: put your own in its place"
    ];

    network = {
      gateway = "10.10.0.1";
      nameservers = [
        "10.10.0.1"
        "10.10.0.2"
      ];
    };

    storage = {
      device = lib.mkDefault "/dev/nvme0n1";
      mountPoint = "/mnt/data";
      binds = {
        "/run/k3s" = "k3s";
        "/var/lib/kubelet" = "k3s-kubelet";
        "/var/lib/rancher" = "k3s-rancher";
      };
    };

    k3s = {
      release = "1.36";
      tokenFile = "/var/lib/rk1/secrets/k3s-token";
      agentTokenFile = "/var/lib/rk1/secrets/k3s-agent-token";
      podCidr = "10.42.0.0/16";
      serviceCidr = "10.43.0.0/16";
      writeKubeconfigMode = "600";
      tlsSans = [
        "rack-1"
        "rack-2"
        "rack-5"
        "rack-1.example.org"
        "rack-2.example.org"
        "rack-5.example.org"
        "10.10.0.11"
        "10.10.0.12"
        "10.10.0.15"
        "kubernetes.example.org"
      ];
      podSecurity = "baseline";
      secretsEncryption = true;
      auditLog = true;
    };

    cilium.encryption = true;

    firewall = {
      apiClients = [ "10.10.0.0/24" ];
    };

    kubernetesSecrets = {
      route53-dns = {
        namespace = "cert-manager";
        key = "secret-access-key";
        file = "/var/lib/rk1/secrets/route53-key";
      };
    };
  };
}
