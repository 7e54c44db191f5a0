# Rendered from cluster.toml by `rk1 render`: edit that file, not this one.
{
  rack-1 = ./rack-1.nix;
  rack-2 = ./rack-2.nix;
  rack-3 = ./rack-3.nix;
  rack-4 = ./rack-4.nix;
  rack-5 = ./rack-5.nix;
  rack-6 = ./rack-6.nix;
  rack-7 = ./rack-7.nix;
  rack-8 = ./rack-8.nix;
}
