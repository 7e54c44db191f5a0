# Rendered from cluster.toml by `rk1 render`: edit that file, or write cluster.local.nix beside this one.
# The settings that all nodes share.
{ lib, ... }:
{
  imports = lib.optional (builtins.pathExists ./cluster.local.nix) ./cluster.local.nix;

  rk1 = {
    cluster = {
      name = "solo";
      domain = "lab.example.org";
      nodes = {
        rk1 = "192.168.178.11";
      };
      servers = [ "rk1" ];
    };

    base.authorizedKeys = [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAY/kNyFmMQbbcz9I7YHgLwzmt0tNdwxjpCkcJICE/mk example key: put your own in its place"
    ];

    network = {
      gateway = "192.168.178.1";
      nameservers = [ "192.168.178.1" ];
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
        "rk1"
        "rk1.lab.example.org"
        "192.168.178.11"
      ];
      podSecurity = "baseline";
      secretsEncryption = true;
      auditLog = true;
    };

    cilium.encryption = true;

    firewall = {
      apiClients = [ "192.168.178.0/24" ];
    };

    kubernetesSecrets = {
      cloudflare-dns = {
        namespace = "cert-manager";
        key = "api-token";
        file = "/var/lib/rk1/secrets/cloudflare-token";
      };
    };
  };
}
