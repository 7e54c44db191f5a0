# Our programs, and the k3s releases that nixpkgs' stable branch has not got: a branch keeps the minors it began with.
{ nixpkgs-unstable }:
final: prev: {
  rk1 = final.callPackage ./rk1.nix { };
  xdp-streamer = final.callPackage ./xdp-streamer.nix { };

  k3s_1_36 =
    prev.k3s_1_36 or nixpkgs-unstable.legacyPackages.${prev.stdenv.hostPlatform.system}.k3s_1_36;
}
