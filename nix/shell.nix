{ pkgs }:
pkgs.mkShell {
  packages = [
    pkgs.cargo
    pkgs.clippy
    pkgs.nixfmt-tree
    pkgs.rust-analyzer
    pkgs.rustc
    pkgs.rustfmt
  ]
  # Programs that the tests run
  ++ pkgs.lib.optionals pkgs.stdenv.hostPlatform.isLinux [
    pkgs.dosfstools
    pkgs.e2fsprogs
    pkgs.iproute2
    pkgs.util-linux
  ];
}
