# The command line that NixOS makes of services.k3s: nixos/modules/services/cluster/rancher/default.nix at
# 011c1bdb102b0191d091f747cbefff1539f3a96d and k3s.nix at 01bb496ce68f871fd31af75d4edaaab9346453a0.
{ config, lib, ... }:
let
  cfg = config.services.k3s;
in
{
  config = lib.mkIf cfg.enable {
    systemd.services.k3s.serviceConfig.ExecStart = lib.concatStringsSep " " (
      [ "k3s ${cfg.role}" ]
      ++ lib.optional (cfg.serverAddr != "") "--server ${cfg.serverAddr}"
      ++ lib.optional (cfg.token != "") "--token ${cfg.token}"
      ++ lib.optional (cfg.tokenFile != null) "--token-file ${cfg.tokenFile}"
      ++ lib.optional (cfg.agentTokenFile != null) "--agent-token-file ${cfg.agentTokenFile}"
      ++ map (component: "--disable=${component}") cfg.disable
      ++ lib.optional (cfg.nodeName != null) "--node-name=${cfg.nodeName}"
      ++ lib.optional (cfg.nodeIP != null) "--node-ip=${cfg.nodeIP}"
      ++ lib.optional (cfg.extraKubeletConfig != { }) "--kubelet-arg=config=k3s-kubelet-config"
      ++ lib.optional cfg.clusterInit "--cluster-init"
      ++ lib.optional cfg.disableAgent "--disable-agent"
      ++ lib.flatten cfg.extraFlags
    );

    assertions = [
      {
        assertion = cfg.role == "agent" -> !cfg.disableAgent;
        message = "k3s: disableAgent must be false if role is 'agent'";
      }
      {
        assertion = cfg.role == "agent" -> !cfg.clusterInit;
        message = "k3s: clusterInit must be false if role is 'agent'";
      }
    ];
  };
}
