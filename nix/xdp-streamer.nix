# The BPF program is committed as it was built, in ebpf/object: no BPF toolchain here.
{ callPackage }:
callPackage ./program.nix {
  name = "xdp-streamer";
  description = "Streams received packets to Grafana from an XDP program";
}
