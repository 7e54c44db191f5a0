# Rendered from cluster.toml by `rk1 render`: edit that file, not this one.
# The Helm charts that servers hand to the cluster, by file name. Nix fetches them by these hashes.
{ }
