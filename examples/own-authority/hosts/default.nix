# Rendered from cluster.toml by `rk1 render`: edit that file, not this one.
{
  bench-1 = ./bench-1.nix;
  bench-2 = ./bench-2.nix;
  bench-3 = ./bench-3.nix;
  bench-4 = ./bench-4.nix;
}
