# The built BPF program is committed in ebpf/object, so this needs no BPF toolchain.
{ callPackage }:
callPackage ./program.nix {
  name = "xdp-streamer";
  description = "Streams received packets to Grafana from an XDP program";
}
