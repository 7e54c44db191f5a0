# Rendered from cluster.toml by `rk1 render`: edit that file, or write cluster.local.nix beside this one.
# The settings that all nodes share.
{ lib, ... }:
{
  imports = lib.optional (builtins.pathExists ./cluster.local.nix) ./cluster.local.nix;

  rk1 = {
    cluster = {
      name = "turing-pi";
      domain = "virtualthoughts.co.uk";
      nodes = {
        rk1-01 = "172.16.10.221";
        rk1-02 = "172.16.10.222";
        rk1-03 = "172.16.10.223";
        rk1-04 = "172.16.10.224";
      };
      servers = [
        "rk1-01"
        "rk1-02"
        "rk1-03"
      ];
    };

    base.authorizedKeys = [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAY/kNyFmMQbbcz9I7YHgLwzmt0tNdwxjpCkcJICE/mk example key: put your own in its place"
    ];

    network = {
      gateway = "172.16.10.1";
      nameservers = [ "172.16.10.1" ];
    };

    ipv6 = {
      enable = true;
      gateway = "fd00:172:16:10::1";
      nodes = {
        rk1-01 = "fd00:172:16:10::221";
        rk1-02 = "fd00:172:16:10::222";
        rk1-03 = "fd00:172:16:10::223";
        rk1-04 = "fd00:172:16:10::224";
      };
      podCidr = "fd00:10:42::/56";
      serviceCidr = "fd00:10:43::/112";
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
        "rk1-01"
        "rk1-02"
        "rk1-03"
        "rk1-01.virtualthoughts.co.uk"
        "rk1-02.virtualthoughts.co.uk"
        "rk1-03.virtualthoughts.co.uk"
        "172.16.10.221"
        "172.16.10.222"
        "172.16.10.223"
        "fd00:172:16:10::221"
        "fd00:172:16:10::222"
        "fd00:172:16:10::223"
        "kubernetes.virtualthoughts.co.uk"
        "fd00:172:16:10::100"
      ];
      podSecurity = "baseline";
      secretsEncryption = true;
      auditLog = true;
    };

    cilium.encryption = true;

    firewall = {
      apiClients = [
        "172.16.10.0/24"
        "fd00:172:16:10::/64"
      ];
    };

    kubernetesSecrets = {
      azure-dns-secret = {
        namespace = "cert-manager";
        key = "azure_client_secret";
        file = "/var/lib/rk1/secrets/azure-dns";
      };
      bgp-edge = {
        namespace = "kube-system";
        key = "password";
        file = "/var/lib/rk1/secrets/bgp-password";
      };
    };

    streamer = {
      enable = true;
      url = "https://grafana.virtualthoughts.co.uk";
      tokenFile = "/var/lib/rk1/secrets/grafana-token";
      stream = "turing-pi";
      budget = 500;
      interval = 250;
    };
  };
}
