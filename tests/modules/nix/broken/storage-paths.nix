{
  rk1-01 =
    { lib, ... }:
    {
      imports = [ ../../../../hosts/rk1-01.nix ];
      rk1.storage = {
        device = lib.mkForce "/dev/nvme0n1p1";
        mountPoint = lib.mkForce "/var/lib/data";
        binds = lib.mkForce {
          "/etc/rancher" = "k3s";
          "/run/k3s" = "k3s";
          "/run/k3s/containerd" = "containerd";
          "/var/lib/data/x" = "x";
        };
      };
    };
  rk1-02 = {
    imports = [ ../../../../hosts/rk1-02.nix ];
    rk1.storage.disks = {
      archive = {
        device = "/dev/nvme0n1";
        mountPoint = "/mnt/data";
        binds."/var/lib/rancher/k3s" = "k3s";
      };
      Photos.device = "/dev/sda1";
    };
  };
}
