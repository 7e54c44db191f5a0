# A node of the cluster. Each file has one concern; its options are below `rk1`.
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
    ./replace-secrets.nix
    ./secret-files.nix
    ./size.nix
    ./storage.nix
    ./unattended.nix
    ./xdp-streamer.nix
  ];
}
