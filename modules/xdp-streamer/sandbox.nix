# What the streamer may do: load a program, attach it, send rows.
let
  capabilities = [
    "CAP_BPF"
    "CAP_NET_ADMIN"
    # Without it the verifier refuses arithmetic on packet pointers.
    "CAP_PERFMON"
  ];
in
{
  DynamicUser = true;
  AmbientCapabilities = capabilities;
  CapabilityBoundingSet = capabilities;

  # PrivateUsers= and PrivateNetwork= are left out: capabilities of a user namespace do not reach bpf(2), and a network
  # of its own has none of the node's interfaces.
  DevicePolicy = "closed";
  KeyringMode = "private";
  LockPersonality = true;
  MemoryDenyWriteExecute = true;
  NoNewPrivileges = true;
  PrivateDevices = true;
  PrivateIPC = true;
  PrivateMounts = true;
  PrivateTmp = true;
  ProcSubset = "pid";
  ProtectClock = true;
  ProtectControlGroups = true;
  ProtectHome = true;
  ProtectHostname = true;
  ProtectKernelLogs = true;
  ProtectKernelModules = true;
  ProtectKernelTunables = true;
  ProtectProc = "invisible";
  ProtectSystem = "strict";
  RemoveIPC = true;
  RestrictAddressFamilies = [
    "AF_INET"
    "AF_INET6"
    "AF_NETLINK"
    "AF_UNIX"
  ];
  RestrictNamespaces = true;
  RestrictRealtime = true;
  RestrictSUIDSGID = true;
  SystemCallArchitectures = "native";
  SystemCallErrorNumber = "EPERM";
  # bpf(2) is in @privileged, so it comes after.
  SystemCallFilter = [
    "@system-service"
    "~@privileged @resources"
    "bpf"
  ];
  UMask = "0077";

  # A flood costs rows, not the node: the first to be killed, the last to be scheduled.
  CPUWeight = 20;
  MemoryMax = "256M";
  OOMScoreAdjust = 500;
  TasksMax = 32;
}
