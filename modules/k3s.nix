# k3s, started after storage, secrets and clock, without the components that Cilium replaces.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.rk1.k3s;
  inherit (config.rk1) ipv6;
  bothFamilies = import ./k3s/both-families.nix ipv6;
  attribute = "k3s_${lib.replaceStrings [ "." ] [ "_" ] cfg.release}";
in
{
  imports = [
    ./k3s/api-server.nix
    ./k3s/config-files.nix
    ./k3s/kubelet.nix
    ./k3s/membership.nix
    ./k3s/node.nix
    ./k3s/registries.nix
    ./k3s/server-ca.nix
    ./k3s/server.nix
    ./k3s/snapshots.nix
  ];

  options.rk1.k3s = {
    enable = lib.mkOption {
      type = lib.types.bool;
      default = true;
      example = false;
      description = "Whether the node runs k3s.";
    };

    release = lib.mkOption {
      type = lib.types.strMatching "[0-9]+\\.[0-9]+";
      description = "Minor release of k3s. `1.36` selects `pkgs.k3s_1_36`.";
      example = "1.36";
    };
  };

  config = lib.mkIf cfg.enable {
    services.k3s = {
      enable = true;
      package =
        pkgs.${attribute}
          or (throw "rk1.k3s.release is `${cfg.release}`, but this nixpkgs has no package `${attribute}`: choose another release, or update nixpkgs.");
      nodeName = config.networking.hostName;
      nodeIP = bothFamilies config.rk1.network.ipv4 (lib.head (lib.splitString "/" ipv6.address));
    };

    rk1.secrets.readers = [ "k3s.service" ];
    rk1.storage.tenants = [ "k3s.service" ];

    systemd.services.k3s = {
      # systemd-tmpfiles may have created these directories below the mount points, so the mounts themselves are required.
      unitConfig = {
        RequiresMountsFor = config.rk1.storage.paths;
        # One message about the missing file, instead of a failure of k3s every five seconds.
        AssertPathExists = [
          config.services.k3s.tokenFile
        ]
        ++ lib.optional (config.services.k3s.agentTokenFile != null) config.services.k3s.agentTokenFile;
      };
      wants = [ "time-sync.target" ];
      after = [
        "time-sync.target"
        "node-secrets.service"
      ];
    };
  };
}
