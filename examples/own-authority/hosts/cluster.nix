# Rendered from cluster.toml by `rk1 render`: edit that file, or write cluster.local.nix beside this one.
# The settings that all nodes share.
{ lib, ... }:
{
  imports = lib.optional (builtins.pathExists ./cluster.local.nix) ./cluster.local.nix;

  rk1 = {
    cluster = {
      name = "workshop";
      domain = "workshop.internal";
      nodes = {
        bench-1 = "10.30.0.11";
        bench-2 = "10.30.0.12";
        bench-3 = "10.30.0.13";
        bench-4 = "10.30.0.14";
      };
      servers = [
        "bench-1"
        "bench-2"
        "bench-3"
      ];
    };

    base.authorizedKeys = [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAY/kNyFmMQbbcz9I7YHgLwzmt0tNdwxjpCkcJICE/mk example key: put your own in its place"
    ];

    network = {
      gateway = "10.30.0.1";
      nameservers = [ "10.30.0.1" ];
      timeServers = [ "10.30.0.1" ];
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
        "bench-1"
        "bench-2"
        "bench-3"
        "bench-1.workshop.internal"
        "bench-2.workshop.internal"
        "bench-3.workshop.internal"
        "10.30.0.11"
        "10.30.0.12"
        "10.30.0.13"
      ];
      podSecurity = "baseline";
      secretsEncryption = true;
      auditLog = true;
    };

    cilium.encryption = true;

    firewall = {
      apiClients = [ "10.30.0.0/24" ];
    };

    kubernetesSecrets = {
      "certificate-authority.tls.crt" = {
        name = "certificate-authority";
        namespace = "cert-manager";
        key = "tls.crt";
        file = "/var/lib/rk1/secrets/ca-certificate";
      };
      "certificate-authority.tls.key" = {
        name = "certificate-authority";
        namespace = "cert-manager";
        key = "tls.key";
        file = "/var/lib/rk1/secrets/ca-key";
      };
    };
  };
}
