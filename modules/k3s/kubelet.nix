# The kubelet of a module with 32 GB, eight cores and an NVMe disk of its own for images, containers and volumes.
{ config, lib, ... }:
{
  config = lib.mkIf config.rk1.k3s.enable {
    services.k3s = {
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

    # The kubelet holds the shutdown back by an inhibitor lock, for as long as logind lets it.
    services.logind.settings.Login.InhibitDelayMaxSec = 70;
  };
}
