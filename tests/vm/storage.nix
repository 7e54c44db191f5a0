# The data disk in a machine that boots: prepared, mounted, bound, kept across a boot; a foreign disk refused.
# Its cases on files and loop devices are the fast tests; here systemd, udev and fstab are the real ones.
{ lib, ... }:
let
  machine =
    { pkgs, ... }:
    {
      imports = [ ../../modules/storage.nix ];

      virtualisation.emptyDiskImages = [ 512 ];
      environment.systemPackages = [ pkgs.e2fsprogs ];
      rk1.storage = {
        device = "/dev/vdb";
        binds = {
          "/run/k3s" = "k3s";
          "/var/lib/rancher" = "k3s-rancher";
        };
      };
    };
in
{
  name = "rk1-storage";

  nodes = {
    blank = machine;
    foreign = {
      imports = [ machine ];
      # Its first boot is before the disk is foreign: only the test starts the preparation.
      systemd.services.rk1-storage.wantedBy = lib.mkForce [ ];
      fileSystems."/mnt/data".options = [ "noauto" ];
      fileSystems."/run/k3s".options = [ "noauto" ];
      fileSystems."/var/lib/rancher".options = [ "noauto" ];
    };
  };

  testScript = ''
    with subtest("a blank disk is prepared, mounted and bound"):
        blank.start()
        blank.wait_for_unit("mnt-data.mount")
        blank.wait_for_unit("var-lib-rancher.mount")
        assert "ext4" in blank.succeed("findmnt --noheadings --output FSTYPE /mnt/data")
        blank.succeed("echo kept > /var/lib/rancher/witness")
        blank.succeed("grep kept /mnt/data/k3s-rancher/witness")

    with subtest("containerd's state does not outlive the boot, everything else does"):
        blank.succeed("mkdir -p /run/k3s/containerd && touch /run/k3s/containerd/stale")
        before = blank.succeed("blkid --output value --match-tag UUID $(realpath /run/rk1/storage)")
        blank.shutdown()
        blank.start()
        blank.wait_for_unit("mnt-data.mount")
        blank.wait_for_unit("var-lib-rancher.mount")
        blank.succeed("grep kept /var/lib/rancher/witness")
        blank.fail("test -e /run/k3s/containerd/stale")
        after = blank.succeed("blkid --output value --match-tag UUID $(realpath /run/rk1/storage)")
        assert before == after, f"the filesystem was made anew: {before} became {after}"

    with subtest("a foreign disk is refused, and the machine comes up"):
        foreign.start()
        foreign.wait_for_unit("multi-user.target")
        foreign.succeed("mkfs.ext4 -q -L elsewhere /dev/vdb")
        before = foreign.succeed("sha256sum /dev/vdb")
        foreign.fail("systemctl start mnt-data.mount")
        foreign.fail("findmnt /mnt/data")
        assert before == foreign.succeed("sha256sum /dev/vdb")
  '';
}
