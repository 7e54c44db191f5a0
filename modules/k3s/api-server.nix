# What the API server refuses, encrypts and logs. It is part of k3s on servers.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.rk1.k3s;

  podSecurity = pkgs.writeText "pod-security.yaml" (
    lib.replaceStrings [ "@level@" ] [ cfg.podSecurity ] (builtins.readFile ./pod-security.yaml)
  );

  # On the data disk, 100 MB at most: the file itself and four old ones.
  auditLog = {
    audit-policy-file = pkgs.writeText "audit-policy.yaml" (builtins.readFile ./audit-policy.yaml);
    audit-log-path = "/var/lib/rancher/k3s/server/logs/audit.log";
    audit-log-maxsize = 20;
    audit-log-maxbackup = 4;
    audit-log-maxage = 30;
  };

  arguments = {
    admission-control-config-file = podSecurity;
    enable-admission-plugins = lib.concatStringsSep "," cfg.admissionPlugins;
  }
  // lib.optionalAttrs cfg.auditLog auditLog;
in
{
  options.rk1.k3s = {
    podSecurity = lib.mkOption {
      type = lib.types.enum [
        "privileged"
        "baseline"
        "restricted"
      ];
      default = "baseline";
      example = "restricted";
      description = ''
        Pod Security Standard that pods must meet, except in `kube-system` and in namespaces whose label
        `pod-security.kubernetes.io/enforce` names another one.
      '';
    };

    admissionPlugins = lib.mkOption {
      type = lib.types.listOf (lib.types.strMatching "[A-Za-z]+");
      default = [ ];
      example = [ "AlwaysPullImages" ];
      description = ''
        Admission plugins of the API server, in addition to those that it enables by itself. `NodeRestriction` and
        `DenyServiceExternalIPs` are always among them.
      '';
    };

    secretsEncryption = lib.mkOption {
      type = lib.types.bool;
      default = true;
      example = false;
      description = ''
        Whether etcd and its snapshots store Secrets encrypted. All servers must agree, and an existing cluster cannot change
        it: a server that has another value than the others does not start.
      '';
    };

    auditLog = lib.mkOption {
      type = lib.types.bool;
      default = true;
      example = false;
      description = ''
        Whether servers log who changed what, and who read Secrets, to `/var/lib/rancher/k3s/server/logs/audit.log`.
      '';
    };
  };

  config = lib.mkIf (cfg.enable && cfg.role == "server") {
    # The first is k3s's own default, which the flag replaces. The second refuses `externalIPs` of services, by which whoever
    # may create a service takes over any address (CVE-2020-8554). Services of type LoadBalancer do not use them.
    rk1.k3s.admissionPlugins = [
      "NodeRestriction"
      "DenyServiceExternalIPs"
    ];

    services.k3s.extraFlags =
      lib.optional cfg.secretsEncryption "--secrets-encryption"
      ++ lib.mapAttrsToList (name: value: "--kube-apiserver-arg=${name}=${toString value}") arguments;
  };
}
