# What the user adds to k3s on a node: flags, labels, taints and fields of the kubelet's configuration.
{ config, lib, ... }:
let
  types = lib.types // import ../types.nix { inherit lib; };
  cfg = config.rk1.k3s;
  argument = import ../argument.nix { inherit lib; };
in
{
  options.rk1.k3s = {
    extraFlags = lib.mkOption {
      type = types.listOf (types.strMatching "--[^[:cntrl:]]+");
      default = [ ];
      example = [ "--kube-controller-manager-arg=node-monitor-grace-period=20s" ];
      description = ''
        Additional flags of k3s, each with its value. k3s does not start on an agent with a flag of servers.
      '';
    };

    labels = lib.mkOption {
      type = types.attrsOf (types.strMatching "[A-Za-z0-9._-]*");
      default = { };
      example = {
        "example.org/disk" = "large";
      };
      description = "Labels that the node registers with. Those of a node that has registered are changed by `kubectl label`.";
    };

    taints = lib.mkOption {
      type = types.listOf (
        types.strMatching "[A-Za-z0-9._/-]+=[A-Za-z0-9._-]*:(NoSchedule|PreferNoSchedule|NoExecute)"
      );
      default = [ ];
      example = [ "node-role.kubernetes.io/control-plane=:NoSchedule" ];
      description = "Taints that the node registers with. Those of a node that has registered are changed by `kubectl taint`.";
    };

    kubelet = lib.mkOption {
      type = types.attrsOf types.anything;
      default = { };
      example = {
        maxPods = 200;
      };
      description = "Fields of the kubelet's configuration (`KubeletConfiguration`), laid over the defaults of the module.";
    };
  };

  config.services.k3s = lib.mkIf cfg.enable {
    nodeLabel = lib.mapAttrsToList (key: value: "${key}=${value}") cfg.labels;
    nodeTaint = cfg.taints;
    extraKubeletConfig = cfg.kubelet;
    extraFlags = map argument cfg.extraFlags;
  };
}
