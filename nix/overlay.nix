# The programs of this repository, and k3s releases that nixpkgs' stable branch lacks: a branch keeps the minor releases that
# it started with.
#
# revision  the commit of this repository, which `rk1 --version` prints; the hosts do not contain rk1
{
  nixpkgs-unstable,
  revision ? null,
}:
final: prev: {
  rk1 = final.callPackage ./rk1.nix { inherit revision; };
  xdp-streamer = final.callPackage ./xdp-streamer.nix { };

  k3s_1_36 =
    prev.k3s_1_36 or nixpkgs-unstable.legacyPackages.${prev.stdenv.hostPlatform.system}.k3s_1_36;
}
