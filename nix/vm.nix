# Turns a host into a virtual machine for a trial on a laptop: its own system, with a blank data disk, without the board's
# boot loader and without a seed. It keeps the host's address, in a network that QEMU makes up.
{
  config,
  lib,
  modulesPath,
  ...
}:
let
  inherit (config.rk1) network;
  # The first three numbers of the gateway's address. QEMU gives its own gateway and DNS server the addresses below.
  prefix = lib.concatStringsSep "." (lib.take 3 (lib.splitString "." network.gateway));
in
{
  imports = [ "${modulesPath}/virtualisation/qemu-vm.nix" ];

  rk1 = {
    board.enable = false;
    storage = {
      device = lib.mkForce "/dev/vdb";
      disks = lib.mkForce { };
    };
    network = {
      interface = lib.mkForce "e*";
      macAddress = lib.mkForce null;
      vlan = lib.mkForce null;
      mtu = lib.mkForce null;
      dhcp = lib.mkForce false;
      nameservers = lib.mkForce [ "${prefix}.3" ];
    };
    # A fixed token: no other machine reaches this one.
    k3s.tokenFile = lib.mkForce "/etc/rk1/vm-token";
  };
  environment.etc."rk1/vm-token" = {
    text = "only-for-a-virtual-machine";
    mode = "0600";
  };

  # The machine is alone, so the host creates a cluster of its own.
  rk1.k3s = {
    role = lib.mkForce "server";
    clusterInit = lib.mkForce true;
    serverAddr = lib.mkForce null;
  };
  rk1.cluster.servers = lib.mkForce [ config.networking.hostName ];

  virtualisation = {
    memorySize = lib.mkDefault 4096;
    cores = lib.mkDefault 2;
    diskSize = lib.mkDefault 4096;
    emptyDiskImages = [ 16384 ];
    graphics = lib.mkDefault false;
    # NixOS's virtual machines replace all file systems.
    fileSystems = config.rk1.storage.fileSystems;
    qemu.networkingOptions = lib.mkForce [
      "-nic user,model=virtio-net-pci,net=${prefix}.0/24,host=${network.gateway},dns=${prefix}.3,hostfwd=tcp:127.0.0.1:2222-${network.ipv4}:22"
    ];
  };
}
