# Rendered from cluster.toml by `rk1 render`: edit that file, not this one.
{
  attic-1 = ./attic-1.nix;
  attic-2 = ./attic-2.nix;
  attic-3 = ./attic-3.nix;
}
