# The built BPF program is committed in ebpf/object, so this needs no BPF toolchain.
{ lib, callPackage }:
callPackage ./program.nix {
  platforms = lib.platforms.linux;
  name = "xdp-streamer";
  description = "Streams received packets to Grafana from an XDP program";
}
