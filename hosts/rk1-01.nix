{ lib, ... }:
{
  imports = [
    ./cluster.nix
  ]
  ++ lib.optional (builtins.pathExists ./rk1-01.local.nix) ./rk1-01.local.nix;

  networking.hostName = "rk1-01";

  rk1 = {
    network.address = "172.16.10.221/24";
    k3s = {
      role = "server";
      clusterInit = true;
    };
  };
}
