{
  rk1-09 = ../../../../hosts/rk1-01.nix;
}
