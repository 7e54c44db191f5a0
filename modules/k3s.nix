# k3s in its place among storage, secrets and clock, without the parts that Cilium takes over.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  types = lib.types // import ./types.nix { inherit lib; };
  cfg = config.rk1.k3s;
  ipv6 = config.rk1.ipv6;
  isServer = cfg.role == "server";
  # As k3s takes what there is of each address family: the first is the one that services have by default.
  both = of4: of6: if ipv6.enable then "${of4},${of6}" else of4;
  attribute = "k3s_${lib.replaceStrings [ "." ] [ "_" ] cfg.release}";
in
{
  imports = [ ./k3s-options.nix ];

  config = lib.mkIf cfg.enable {
    services.k3s = {
      enable = true;
      package =
        pkgs.${attribute}
          or (throw "rk1.k3s.release is `${cfg.release}`, but this nixpkgs has no `${attribute}`: choose a release that it has, or update nixpkgs.");
      inherit (cfg) role clusterInit;
      serverAddr = lib.mkIf (cfg.serverAddr != null) cfg.serverAddr;
      tokenFile = cfg.tokenFile;
      nodeName = config.networking.hostName;
      nodeIP = both config.rk1.network.ipv4 (lib.head (lib.splitString "/" ipv6.address));
      # An agent learns all of this from its server, and dies of a flag that only servers have.
      disable = lib.optionals isServer cfg.disable;
      extraFlags = lib.optionals isServer (
        [
          "--flannel-backend=none"
          "--disable-network-policy"
          "--disable-cloud-controller"
          "--disable-kube-proxy"
          "--write-kubeconfig-mode ${cfg.writeKubeconfigMode}"
          "--cluster-cidr ${both cfg.podCidr ipv6.podCidr}"
          "--service-cidr ${both cfg.serviceCidr ipv6.serviceCidr}"
        ]
        ++ map (name: "--tls-san ${name}") cfg.tlsSans
      );
      # 32 GB, eight cores and an NVMe disk of its own for images, containers and volumes.
      extraKubeletConfig = {
        # Pods must not starve sshd, the streamer and k3s itself.
        systemReserved = {
          cpu = "250m";
          memory = "512Mi";
        };
        # The kubelet acts before the kernel's killer does, and before the disk that etcd writes to is full.
        evictionHard = {
          "memory.available" = "512Mi";
          "nodefs.available" = "10%";
          "imagefs.available" = "10%";
          "nodefs.inodesFree" = "5%";
        };
        imageGCHighThresholdPercent = 80;
        imageGCLowThresholdPercent = 70;
        # The disk is fast enough for two; the network is not for more.
        serializeImagePulls = false;
        maxParallelImagePulls = 2;
        containerLogMaxSize = "10Mi";
        containerLogMaxFiles = 3;
      };
      # A node that is switched off ends its pods in order, those of the system last.
      gracefulNodeShutdown = {
        enable = true;
        shutdownGracePeriod = "60s";
        shutdownGracePeriodCriticalPods = "20s";
      };
    };

    rk1.secrets.readers = [ "k3s.service" ];

    # The kubelet holds the shutdown back by an inhibitor lock, for as long as logind lets it.
    services.logind.settings.Login.InhibitDelayMaxSec = 70;

    systemd.services.k3s = {
      # tmpfiles may have made these directories under the mount points: the mounts must be there.
      unitConfig = {
        RequiresMountsFor = builtins.attrNames config.rk1.storage.binds;
        # Says what is missing once, instead of k3s failing every five seconds.
        AssertPathExists = cfg.tokenFile;
      };
      wants = [ "clock-synchronized.service" ];
      after = [
        "clock-synchronized.service"
        "node-secrets.service"
      ];
    };

    assertions = [
      {
        assertion = isServer -> (cfg.clusterInit != (cfg.serverAddr != null));
        message = "rk1.k3s: a server either starts the cluster or joins one: set clusterInit = true on the first server and serverAddr on the others.";
      }
      {
        assertion = !isServer -> cfg.serverAddr != null;
        message = "rk1.k3s: an agent joins a cluster: set serverAddr to a server, such as `https://192.0.2.11:6443`.";
      }
      {
        assertion = !isServer -> !cfg.clusterInit;
        message = "rk1.k3s: an agent cannot start a cluster: remove clusterInit, or set role = \"server\".";
      }
      {
        assertion = cfg.serverAddr == null || !lib.hasPrefix "https://${config.rk1.network.ipv4}:" cfg.serverAddr;
        message = "rk1.k3s.serverAddr (${toString cfg.serverAddr}) is this node: set it to another server.";
      }
      {
        assertion = cfg.podCidr != cfg.serviceCidr;
        message = "rk1.k3s: podCidr and serviceCidr are both ${cfg.podCidr}: give pods and services networks of their own.";
      }
    ];
  };
}
