# k3s in its place among storage, secrets and clock, without the parts that Cilium takes over.
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
    ./k3s/kubelet.nix
    ./k3s/membership.nix
    ./k3s/server.nix
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
      description = "Minor release of k3s. `1.36` takes `pkgs.k3s_1_36`.";
      example = "1.36";
    };
  };

  config = lib.mkIf cfg.enable {
    services.k3s = {
      enable = true;
      package =
        pkgs.${attribute}
          or (throw "rk1.k3s.release is `${cfg.release}`, but this nixpkgs has no `${attribute}`: choose a release that it has, or update nixpkgs.");
      nodeName = config.networking.hostName;
      nodeIP = bothFamilies config.rk1.network.ipv4 (lib.head (lib.splitString "/" ipv6.address));
    };

    rk1.secrets.readers = [ "k3s.service" ];

    systemd.services.k3s = {
      # tmpfiles may have made these directories under the mount points: the mounts must be there.
      unitConfig = {
        RequiresMountsFor = builtins.attrNames config.rk1.storage.binds;
        # Says what is missing once, instead of k3s failing every five seconds.
        AssertPathExists = cfg.tokenFile;
      };
      wants = [ "clock-synchronized.service" ];
      after = [
        "clock-synchronized.service"
        "node-secrets.service"
      ];
    };
  };
}
