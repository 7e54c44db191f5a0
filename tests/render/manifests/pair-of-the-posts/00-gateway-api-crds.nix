# Rendered from cluster.toml by `rk1 render`: edit that file, not this one.
# The resource definitions of the Gateway API 1.1.0, experimental bundle, which Cilium 1.16.1 needs. Nix fetches
# them by these hashes, and servers apply them before all other files, as 00-gateway-api-crds.yaml.
[
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.1.0/config/crd/experimental/gateway.networking.k8s.io_backendlbpolicies.yaml";
    hash = "sha256-+v9TOIeZX4TUqbpJ/naNRsPm0vCJmP5ZD9urYz60z5I=";
  }
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.1.0/config/crd/experimental/gateway.networking.k8s.io_backendtlspolicies.yaml";
    hash = "sha256-Hvwkr8AV7GwSBcr0dIySjLZVZAN/A0/vyrBVu3wqMek=";
  }
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.1.0/config/crd/experimental/gateway.networking.k8s.io_gatewayclasses.yaml";
    hash = "sha256-Qjo1E9S8sx2LXq+/TWB+YX3zc+LItIrGHpQIbD4+9ww=";
  }
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.1.0/config/crd/experimental/gateway.networking.k8s.io_gateways.yaml";
    hash = "sha256-lOxXo6yuWg2RThTQlPYKi2SUFe3p9ldwa+SHrzg4Vc4=";
  }
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.1.0/config/crd/experimental/gateway.networking.k8s.io_grpcroutes.yaml";
    hash = "sha256-PbhdD9aeVDkpL+d4/fovOFQPayIGVr5G+saezVFjdFA=";
  }
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.1.0/config/crd/experimental/gateway.networking.k8s.io_httproutes.yaml";
    hash = "sha256-E0kCUGMsTICA8VE3LLFHiQLJEdWpN3XgXPI9+On2g28=";
  }
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.1.0/config/crd/experimental/gateway.networking.k8s.io_referencegrants.yaml";
    hash = "sha256-4L9IUqy4RjpWOIam8EtZPKjFaj/e/COKgIsb5fxBt68=";
  }
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.1.0/config/crd/experimental/gateway.networking.k8s.io_tcproutes.yaml";
    hash = "sha256-AJ6S3fzoaEG9K/XO+c/VhtiPU/DaVSOzlY6hIM26z98=";
  }
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.1.0/config/crd/experimental/gateway.networking.k8s.io_tlsroutes.yaml";
    hash = "sha256-KDoNVhaC7gOc1BPpZjMi9myH6dwKhYEXPC0mo5lpRhk=";
  }
  {
    url = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.1.0/config/crd/experimental/gateway.networking.k8s.io_udproutes.yaml";
    hash = "sha256-lufcZGg96IL88hvJwtNM00KkfxAsM12d+coOu4Do+Hk=";
  }
]
