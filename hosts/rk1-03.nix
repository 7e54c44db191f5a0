{ lib, ... }:
{
  imports = [
    ./cluster.nix
  ]
  ++ lib.optional (builtins.pathExists ./rk1-03.local.nix) ./rk1-03.local.nix;

  networking.hostName = "rk1-03";

  rk1 = {
    network.address = "172.16.10.223/24";
    k3s = {
      role = "server";
      serverAddr = "https://172.16.10.221:6443";
    };
  };
}
