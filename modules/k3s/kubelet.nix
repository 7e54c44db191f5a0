# The kubelet of a module with 32 GB of memory, eight cores, and an NVMe disk for images, containers and volumes.
{ config, lib, ... }:
{
  config = lib.mkIf config.rk1.k3s.enable {
    services.k3s = {
      # Each value by itself: a cluster that reserves more memory keeps the reserved processor time.
      extraKubeletConfig = lib.mapAttrsRecursive (_: lib.mkDefault) {
        # For sshd, the streamer and k3s itself.
        systemReserved = {
          cpu = "250m";
          memory = "512Mi";
        };
        # The kubelet evicts pods before the kernel kills processes, and before the disk that etcd writes to is full.
        evictionHard = {
          "memory.available" = "512Mi";
          "nodefs.available" = "10%";
          "imagefs.available" = "10%";
          "nodefs.inodesFree" = "5%";
        };
        imageGCHighThresholdPercent = 80;
        imageGCLowThresholdPercent = 70;
        # The disk can take two images at once, the network no more than that.
        serializeImagePulls = false;
        maxParallelImagePulls = 2;
        containerLogMaxSize = "10Mi";
        containerLogMaxFiles = 3;
      };
      # A node that shuts down terminates its pods in order, critical ones last.
      gracefulNodeShutdown = lib.mapAttrs (_: lib.mkDefault) {
        enable = true;
        shutdownGracePeriod = "60s";
        shutdownGracePeriodCriticalPods = "20s";
      };
    };

    # Pods' logs, up to 30 MiB per container, belong on the disk whose free space the kubelet watches.
    rk1.storage.binds."/var/log/pods" = lib.mkDefault "k3s-pod-logs";

    # The kubelet delays the shutdown with an inhibitor lock, for at most this long.
    services.logind.settings.Login.InhibitDelayMaxSec = lib.mkDefault 70;
  };
}
