# The data disk in a machine that boots: prepared, mounted, bound, kept across a boot; a foreign disk refused.
# Its cases on files and loop devices are the fast tests; here systemd, udev and fstab are the real ones.
{ lib, ... }:
let
  storage = {
    device = "/dev/vdb";
    binds = {
      "/run/k3s" = "k3s";
      "/var/lib/rancher" = "k3s-rancher";
    };
  };

  # A test's machine takes its mounts from virtualisation.fileSystems and drops all others (qemu-vm.nix), so the
  # module's are handed over.
  mounts =
    (lib.evalModules {
      modules = [
        ../../modules/storage.nix
        {
          _module.args.pkgs = { };
          _module.freeformType = lib.types.lazyAttrsOf lib.types.raw;
          rk1.storage = storage;
        }
      ];
    }).config.fileSystems;

  machine =
    { pkgs, ... }:
    {
      imports = [ ../../modules/storage.nix ];

      rk1.storage = storage;
      virtualisation.emptyDiskImages = [ 512 ];
      environment.systemPackages = [ pkgs.e2fsprogs ];
    };
in
{
  name = "rk1-storage";

  nodes = {
    blank = {
      imports = [ machine ];
      virtualisation.fileSystems = mounts;
    };
    foreign = {
      imports = [ machine ];
      # The disk becomes foreign after the boot; only then may anything look at it.
      virtualisation.fileSystems = lib.mapAttrs (
        _: mount: mount // { options = mount.options ++ [ "noauto" ]; }
      ) mounts;
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
        blank.wait_for_unit("systemd-tmpfiles-setup.service")
        blank.succeed("grep kept /var/lib/rancher/witness")
        blank.fail("test -e /run/k3s/containerd/stale")
        after = blank.succeed("blkid --output value --match-tag UUID $(realpath /run/rk1/storage)")
        assert before == after, f"the filesystem was made anew: {before} became {after}"

    with subtest("a foreign disk is refused, and the machine is up"):
        foreign.start()
        foreign.wait_for_unit("multi-user.target")
        foreign.succeed("mkfs.ext4 -q -L elsewhere /dev/vdb")
        before = foreign.succeed("sha256sum /dev/vdb")
        foreign.fail("systemctl start mnt-data.mount")
        foreign.fail("findmnt /mnt/data")
        assert before == foreign.succeed("sha256sum /dev/vdb")
  '';
}
