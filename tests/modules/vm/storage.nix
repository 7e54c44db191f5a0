# The data disk in a machine that boots, with real systemd, udev and fstab: made, kept through a power loss, refused.
# Each kind of disk is tested on loop devices in tests/modules/storage/; what is tested here is the way from disk to k3s.
{
  name = "rk1-storage";

  nodes.machine =
    { config, pkgs, ... }:
    {
      imports = [ ../../../modules/storage.nix ];
      rk1.storage = {
        device = "/dev/vdb";
        binds."/run/k3s" = "k3s";
        binds."/var/lib/rancher" = "k3s-rancher";
      };
      virtualisation.emptyDiskImages = [ 2048 ];
      # A test machine has no other file systems than these.
      virtualisation.fileSystems = config.rk1.storage.fileSystems;
      # In the place of k3s.
      systemd.services.tenant = {
        wantedBy = [ "multi-user.target" ];
        unitConfig.RequiresMountsFor = config.rk1.storage.paths;
        serviceConfig.ExecStart = "${pkgs.coreutils}/bin/sleep infinity";
      };
    };

  testScript = ''
    with subtest("a blank disk is made ready, mounted and bound before its tenant starts"):
        machine.wait_for_unit("tenant.service")
        machine.succeed("findmnt --source /dev/vdb1 --target /mnt/data")
        machine.succeed("echo kept > /var/lib/rancher/a", "grep kept /mnt/data/k3s-rancher/a")
        machine.succeed("mkdir -p /run/k3s/containerd/b", "sync")

    with subtest("it is used again after a power loss, without containerd's state"):
        machine.crash()
        machine.start()
        machine.wait_for_unit("tenant.service")
        machine.succeed("grep kept /var/lib/rancher/a", "! test -e /run/k3s/containerd")

    with subtest("a foreign disk is refused: the machine comes up, its tenant does not"):
        machine.succeed("systemctl stop tenant run-k3s.mount var-lib-rancher.mount mnt-data.mount")
        foreign = machine.succeed("wipefs -qa /dev/vdb1 /dev/vdb && mkfs.ext4 -q /dev/vdb && sha256sum /dev/vdb")
        machine.shutdown()
        machine.start()
        machine.wait_for_unit("multi-user.target")
        machine.fail("systemctl is-active tenant.service || systemctl is-active mnt-data.mount")
        assert foreign == machine.succeed("sha256sum /dev/vdb")
  '';
}
