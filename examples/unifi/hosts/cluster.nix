# Rendered from cluster.toml by `rk1 render`: edit that file, or write cluster.local.nix beside this one.
# The settings that all nodes share.
{ lib, ... }:
{
  imports = lib.optional (builtins.pathExists ./cluster.local.nix) ./cluster.local.nix;

  rk1 = {
    cluster = {
      name = "attic";
      domain = "example.org";
      nodes = {
        attic-1 = "192.168.42.11";
        attic-2 = "192.168.42.12";
        attic-3 = "192.168.42.13";
      };
      servers = [
        "attic-1"
        "attic-2"
        "attic-3"
      ];
    };

    base.authorizedKeys = [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAY/kNyFmMQbbcz9I7YHgLwzmt0tNdwxjpCkcJICE/mk example key: put your own in its place"
    ];

    network = {
      gateway = "192.168.42.1";
      nameservers = [ "192.168.42.1" ];
      vlan = lib.mkDefault 42;
      searchDomains = lib.mkDefault [ "home.example.org" ];
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
        "attic-1"
        "attic-2"
        "attic-3"
        "attic-1.example.org"
        "attic-2.example.org"
        "attic-3.example.org"
        "192.168.42.11"
        "192.168.42.12"
        "192.168.42.13"
      ];
      podSecurity = "baseline";
      secretsEncryption = true;
      auditLog = true;
    };

    cilium.encryption = true;

    firewall = {
      apiClients = [ "192.168.42.0/24" ];
    };

    kubernetesSecrets = {
      bgp-gateway = {
        namespace = "kube-system";
        key = "password";
        file = "/var/lib/rk1/secrets/bgp-password";
      };
      cloudflare-dns = {
        namespace = "cert-manager";
        key = "api-token";
        file = "/var/lib/rk1/secrets/cloudflare-token";
      };
    };
  };
}
