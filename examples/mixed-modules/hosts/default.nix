# Rendered from cluster.toml by `rk1 render`: edit that file, not this one.
{
  den-1 = ./den-1.nix;
  den-2 = ./den-2.nix;
  den-3 = ./den-3.nix;
  den-nas = ./den-nas.nix;
}
