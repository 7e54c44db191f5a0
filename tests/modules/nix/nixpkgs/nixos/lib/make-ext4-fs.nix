# The arguments of nixpkgs' file of this name; what it makes is only a name.
{
  pkgs,
  lib,
  storePaths,
  compressImage ? false,
  zstd,
  populateImageCommands ? "",
  volumeLabel,
  uuid ? "44444444-4444-4444-8888-888888888888",
  e2fsprogs,
  libfaketime,
  perl,
  fakeroot,
}:
assert lib.all lib.isDerivation storePaths;
assert builtins.stringLength volumeLabel <= 16;
derivation {
  name = "ext4-fs.img";
  inherit (pkgs.stdenv.hostPlatform) system;
  inherit
    compressImage
    populateImageCommands
    volumeLabel
    uuid
    ;
  inputs = [
    zstd
    e2fsprogs
    libfaketime
    perl
    fakeroot
  ];
  builder = "/not/built/here";
}
