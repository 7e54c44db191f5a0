# Rendered from cluster.toml by `rk1 render`: edit that file, not this one.
{
  rk1-01 = ./rk1-01.nix;
  rk1-02 = ./rk1-02.nix;
  rk1-03 = ./rk1-03.nix;
  rk1-04 = ./rk1-04.nix;
}
