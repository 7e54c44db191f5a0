{ pkgs }:
pkgs.mkShell {
  packages = [
    pkgs.cargo
    pkgs.clippy
    pkgs.nixfmt-tree
    pkgs.rust-analyzer
    pkgs.rustc
    pkgs.rustfmt
    # What the tests drive
    pkgs.dosfstools
    pkgs.e2fsprogs
    pkgs.iproute2
    pkgs.util-linux
  ];
}
