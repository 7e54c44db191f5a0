{ lib, ... }:
{
  imports = [
    ./cluster.nix
  ]
  ++ lib.optional (builtins.pathExists ./rk1-02.local.nix) ./rk1-02.local.nix;

  networking.hostName = "rk1-02";

  rk1 = {
    network.address = "172.16.10.222/24";
    k3s = {
      role = "server";
      serverAddr = "https://172.16.10.221:6443";
    };
  };
}
