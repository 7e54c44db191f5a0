# Restricts the streamer to what it does: it loads a program, attaches it, and sends rows.
{ lib, cfg }:
let
  capabilities = [
    "CAP_BPF"
    "CAP_NET_ADMIN"
    # Without it, the verifier refuses arithmetic on packet pointers.
    "CAP_PERFMON"
  ]
  # Receiving every multicast group takes a packet socket.
  ++ lib.optional cfg.allMulticast "CAP_NET_RAW";
in
import ../sandbox.nix
// {
  DynamicUser = true;
  AmbientCapabilities = capabilities;
  CapabilityBoundingSet = capabilities;

  # Without PrivateUsers= and PrivateNetwork=: bpf(2) ignores capabilities of a user namespace, and a network namespace has
  # none of the node's interfaces.
  DevicePolicy = "closed";
  # The streamer parses what strangers send. It has no business with the cluster's keys.
  InaccessiblePaths = [
    "-/etc/rancher"
    "-/var/lib/kubelet"
    "-/var/lib/rancher"
    "-/var/lib/rk1"
  ];
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
  ]
  ++ lib.optional cfg.allMulticast "AF_PACKET";
  SystemCallErrorNumber = "EPERM";
  # bpf(2) is part of @privileged, so it is added last.
  SystemCallFilter = [
    "@system-service"
    "~@privileged @resources"
    "bpf"
  ]
  # Whole packets come through buffers of perf events.
  ++ lib.optional cfg.write.enable "perf_event_open";

  # A flood of packets costs rows, not the node: the streamer is scheduled last, and killed first.
  CPUWeight = 20;
  MemoryMax = "256M";
  OOMScoreAdjust = 500;
  TasksMax = 32;
}
// lib.optionalAttrs cfg.write.enable {
  # The buffers of perf events are locked memory, 4 MiB for each CPU. Eight CPUs exceed systemd's limit of 8 MiB.
  LimitMEMLOCK = "infinity";
}
