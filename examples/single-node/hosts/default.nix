# Rendered from cluster.toml by `rk1 render`: edit that file, not this one.
{
  rk1 = ./rk1.nix;
}
