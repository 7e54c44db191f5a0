# Rendered from cluster.toml by `rk1 render`: edit that file, not this one.
# The Helm charts that servers offer to the cluster, by file name. Nix fetches them by these hashes. The cluster fetches
# a chart itself if it is null here, because pins.json has no hash of it.
{
  "cert-manager-1.21.1" = {
    url = "https://charts.jetstack.io/charts/cert-manager-v1.21.1.tgz";
    hash = "sha256-wnEB8/PiNJ+0qecEMWEFv3tSrXO4yCV9NJjvfy9qStw=";
  };
  "cilium-1.20.0" = {
    url = "https://helm.cilium.io/cilium-1.20.0.tgz";
    hash = "sha256-xfATkSNg0aM09E7yXzbaWbo0FM20j0Zu4S0MT9/yeIM=";
  };
}
