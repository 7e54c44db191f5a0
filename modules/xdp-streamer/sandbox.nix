# What the streamer may do: load a program, attach it, send rows.
let
  capabilities = [
    "CAP_BPF"
    "CAP_NET_ADMIN"
    # Without it the verifier refuses arithmetic on packet pointers.
    "CAP_PERFMON"
  ];
in
import ../sandbox.nix
// {
  DynamicUser = true;
  AmbientCapabilities = capabilities;
  CapabilityBoundingSet = capabilities;

  # PrivateUsers= and PrivateNetwork= are left out: capabilities of a user namespace do not reach bpf(2), and a network
  # of its own has none of the node's interfaces.
  DevicePolicy = "closed";
  KeyringMode = "private";
  PrivateIPC = true;
  PrivateMounts = true;
  ProcSubset = "pid";
  RemoveIPC = true;
  RestrictAddressFamilies = [
    "AF_INET"
    "AF_INET6"
    "AF_NETLINK"
    "AF_UNIX"
  ];
  SystemCallErrorNumber = "EPERM";
  # bpf(2) is in @privileged, so it comes after.
  SystemCallFilter = [
    "@system-service"
    "~@privileged @resources"
    "bpf"
  ];

  # A flood costs rows, not the node: the first to be killed, the last to be scheduled.
  CPUWeight = 20;
  MemoryMax = "256M";
  OOMScoreAdjust = 500;
  TasksMax = 32;
}
