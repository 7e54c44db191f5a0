# The certificate authority that the first server begins with, so that the other nodes know it before they join.
{ config, lib, ... }:
let
  types = lib.types // import ../types.nix { inherit lib; };
  cfg = config.rk1.k3s;
  tls = "/var/lib/rancher/k3s/server/tls";
in
{
  options.rk1.k3s.serverCaFile = lib.mkOption {
    type = types.nullOr types.secretFile;
    default = null;
    example = "/var/lib/rk1/secrets/k3s-server-ca";
    description = ''
      File on the node with the certificate authority of the servers: one self-signed certificate and its private key, in PEM.
      The server that creates the cluster begins with it. Null means that k3s makes an authority of its own.
    '';
  };

  config = lib.mkIf (cfg.enable && cfg.clusterInit && cfg.serverCaFile != null) {
    rk1.secrets.readers = [ "k3s-server-ca.service" ];
    rk1.storage.tenants = [ "k3s-server-ca.service" ];

    systemd.services.k3s-server-ca = {
      description = "Place the certificate authority of the servers";
      # With an authority of k3s's own, no other node could join.
      requiredBy = [ "k3s.service" ];
      before = [ "k3s.service" ];
      after = [ "node-secrets.service" ];
      unitConfig = {
        RequiresMountsFor = [ tls ];
        # The authority of a cluster that exists is never replaced.
        ConditionPathExists = "!${tls}/server-ca.crt";
        AssertPathExists = cfg.serverCaFile;
      };
      serviceConfig = import ../sandbox.nix // {
        Type = "oneshot";
        CapabilityBoundingSet = "";
        PrivateNetwork = true;
        ReadWritePaths = [ "/var/lib/rancher" ];
        RestrictAddressFamilies = "none";
        SystemCallFilter = "@system-service";
      };
      environment = {
        AUTHORITY = cfg.serverCaFile;
        TLS = tls;
      };
      script = builtins.readFile ./server-ca.sh;
    };
  };
}
