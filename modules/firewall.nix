# What may reach a node, besides ssh. BGP needs nothing here: Cilium dials the router.
{ config, lib, ... }:
let
  isServer = config.rk1.k3s.role == "server";

  cilium.health = 4240;
  cilium.hubble = 4244;
  cilium.vxlan = 8472;
  etcd.client = 2379;
  etcd.peer = 2380;
  k3s.api = 6443;
  kubelet = 10250;
in
{
  networking.firewall = {
    enable = true;
    allowedTCPPorts = [
      cilium.health
      cilium.hubble
      kubelet
    ]
    # All three want a certificate of the cluster's.
    ++ lib.optionals isServer [
      etcd.client
      etcd.peer
      k3s.api
    ];
    allowedUDPPorts = [ cilium.vxlan ];
  };
}
