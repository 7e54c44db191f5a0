# Rendered from cluster.toml by `rk1 render`: edit that file, not this one.
# The resource definitions of the Gateway API 1.6.1, standard bundle, which Cilium 1.20.0 needs. Nix fetches
# them by these hashes, and servers apply them before all other files, as 00-gateway-api-crds.yaml.
[
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.6.1/config/crd/standard/gateway.networking.k8s.io_backendtlspolicies.yaml";
    hash = "sha256-DUjJ5LU92VEM9hW5sRktnXr7B6HMBJjJUVYnyxwHVBk=";
  }
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.6.1/config/crd/standard/gateway.networking.k8s.io_gatewayclasses.yaml";
    hash = "sha256-U3EASLom+GIO7VnV5RsVfs8EDa9cbu8xpLmR4ICMS+U=";
  }
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.6.1/config/crd/standard/gateway.networking.k8s.io_gateways.yaml";
    hash = "sha256-JbiF9YcLj/8a6C76JiiydhzvN0WQDCrs+Pt2YpoBJVo=";
  }
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.6.1/config/crd/standard/gateway.networking.k8s.io_grpcroutes.yaml";
    hash = "sha256-U6jQKdqPB+VdP6WKXPbeWVDasZ+7jWqAgvteUcpe9vw=";
  }
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.6.1/config/crd/standard/gateway.networking.k8s.io_httproutes.yaml";
    hash = "sha256-pCSg1slTsWLnHR2Xu351AS2PGsJk5ydPJ2PRuWqzmFI=";
  }
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.6.1/config/crd/standard/gateway.networking.k8s.io_listenersets.yaml";
    hash = "sha256-v01LAlZJmbJVi5bjFGUSmJXbmzqK37kK25yA6sUqOnA=";
  }
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.6.1/config/crd/standard/gateway.networking.k8s.io_referencegrants.yaml";
    hash = "sha256-jGRekzPPpneQzCpT4MAAdviLK9QjDStJaIx4vDT5ssM=";
  }
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.6.1/config/crd/standard/gateway.networking.k8s.io_tcproutes.yaml";
    hash = "sha256-1RBNDPMOkk9ePJ4udqvUaHZAHDTKM7nnkyFSPu54x/Y=";
  }
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.6.1/config/crd/standard/gateway.networking.k8s.io_tlsroutes.yaml";
    hash = "sha256-u4tnkm5dllLL/S4ZBjt8HZ54gGyd1nFgj1e67y8uO7s=";
  }
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.6.1/config/crd/standard/gateway.networking.k8s.io_udproutes.yaml";
    hash = "sha256-S4BoTCv470sKKjq0UWSsn5Ylj8aZEmRf9QztWVsKpt4=";
  }
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.6.1/config/crd/standard/gateway.networking.k8s.io_vap_safeupgrades.yaml";
    hash = "sha256-r7DqGzzC6TRNk7CSb750GutIq0Q5+fe0t3uayU+vbC4=";
  }
]
