# What becomes of a manifest that is rendered no more: k3s takes its resources back, then its file goes.
{ config, lib, ... }:
let
  k3s = config.rk1.k3s;
  server = "/var/lib/rancher/k3s/server";
in
{
  config = lib.mkIf (k3s.enable && k3s.role == "server" && config.rk1.manifests.directory != null) {
    systemd.services = {
      # A link that leads nowhere keeps k3s from reading any manifest, so this comes first.
      retire-manifests = {
        description = "Empty the manifests that are no longer rendered";
        wantedBy = [ "multi-user.target" ];
        before = [ "k3s.service" ];
        unitConfig.RequiresMountsFor = [ "/var/lib/rancher" ];
        environment = {
          MANIFESTS = lib.concatStringsSep " " (builtins.attrNames config.services.k3s.manifests);
          CHARTS = lib.concatMapStringsSep " " (name: "${name}.tgz") (
            builtins.attrNames config.services.k3s.charts
          );
          STORE = builtins.storeDir;
          SERVER = server;
        };
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
        };
        script = builtins.readFile ./retire.sh;
      };

      # k3s takes away what an emptied manifest held; only then may the file itself go.
      remove-retired-manifests = {
        description = "Remove the manifests that k3s has taken back";
        wantedBy = [ "multi-user.target" ];
        after = [
          "k3s.service"
          "retire-manifests.service"
        ];
        # Restarted whenever the other is: then there may be something to remove.
        partOf = [ "retire-manifests.service" ];
        unitConfig.StartLimitIntervalSec = 0;
        path = [ config.services.k3s.package ];
        environment = {
          SERVER = server;
          KUBECONFIG = "/etc/rancher/k3s/k3s.yaml";
        };
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
          Restart = "on-failure";
          RestartSec = 15;
        };
        script = builtins.readFile ./remove-retired.sh;
      };
    };
  };
}
