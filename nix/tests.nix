# Tests in virtual machines, such as `nix build .#tests.storage`. They need KVM, so `nix flake check` leaves them out.
{ pkgs }:
{
  guard = pkgs.testers.runNixOSTest ../tests/modules/vm/guard.nix;
  storage = pkgs.testers.runNixOSTest ../tests/modules/vm/storage.nix;
  streamer = pkgs.testers.runNixOSTest ../tests/modules/vm/streamer.nix;
}
