# Everything a node of the cluster is. Each file has one concern; the options lie under `rk1`.
{
  imports = [
    ./base.nix
    ./board.nix
    ./cilium.nix
    ./clock.nix
    ./cluster.nix
    ./firewall.nix
    ./grafana.nix
    ./guard.nix
    ./ipv6.nix
    ./k3s.nix
    ./kubernetes-secrets.nix
    ./manifests.nix
    ./network.nix
    ./node-secrets.nix
    ./storage.nix
    ./xdp-streamer.nix
  ];
}
