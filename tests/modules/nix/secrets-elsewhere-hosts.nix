# A host whose secrets are brought by something else than the seed, such as sops-nix.
{
  rk1-01 =
    { lib, ... }:
    {
      imports = [ ../../../hosts/rk1-01.nix ];
      rk1 = {
        secrets.seedDevice = null;
        k3s.tokenFile = lib.mkForce "/run/secrets/k3s-token";
        k3s.agentTokenFile = lib.mkForce "/run/secrets/k3s-agent-token";
        k3s.serverCaFile = lib.mkForce "/run/secrets/k3s-server-ca";
        streamer.tokenFile = lib.mkForce "/run/secrets/grafana-token";
        kubernetesSecrets.azure-dns-secret.file = lib.mkForce "/run/secrets/azure-dns";
      };
    };
}
