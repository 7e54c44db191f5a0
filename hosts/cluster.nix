{
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
    };

    base.authorizedKeys = [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl operator"
    ];

    network = {
      gateway = "172.16.10.1";
      nameservers = [ "172.16.10.1" ];
      timeServers = [
        "0.pool.ntp.org"
        "1.pool.ntp.org"
      ];
    };

    storage = {
      device = "/dev/nvme0n1";
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
      podCidr = "10.42.0.0/16";
      serviceCidr = "10.43.0.0/16";
      disable = [
        "servicelb"
        "local-storage"
        "traefik"
      ];
      writeKubeconfigMode = "644";
      tlsSans = [ "172.16.10.221" ];
    };

    streamer = {
      enable = true;
      url = "https://grafana.virtualthoughts.co.uk/api/live/push/rk1";
      tokenFile = "/var/lib/rk1/secrets/grafana-token";
    };
  };
}
