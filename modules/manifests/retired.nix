# Removes manifests that are no longer rendered: k3s deletes their resources first, then the file is removed.
{ config, lib, ... }:
let
  k3s = config.rk1.k3s;
  server = "/var/lib/rancher/k3s/server";
in
{
  config = lib.mkIf (k3s.enable && k3s.role == "server" && config.rk1.manifests.directory != null) {
    systemd.services = {
      # A dangling link keeps k3s from reading any manifest, so this unit comes first.
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
        serviceConfig = import ../sandbox.nix // {
          Type = "oneshot";
          RemainAfterExit = true;
          CapabilityBoundingSet = "";
          PrivateNetwork = true;
          ReadWritePaths = [ "-${server}" ];
          RestrictAddressFamilies = "none";
          SystemCallErrorNumber = "EPERM";
          SystemCallFilter = [
            "@system-service"
            "~@privileged @resources"
          ];
        };
        script = builtins.readFile ./retire.sh;
      };

      # k3s deletes the resources of an emptied manifest. The file itself may only be removed after that.
      remove-retired-manifests = {
        description = "Remove the manifests whose resources k3s has deleted";
        wantedBy = [ "multi-user.target" ];
        after = [
          "k3s.service"
          "retire-manifests.service"
        ];
        # Restarted with the other unit, which may have emptied manifests.
        partOf = [ "retire-manifests.service" ];
        unitConfig.StartLimitIntervalSec = 0;
        path = [ config.services.k3s.package ];
        environment = {
          SERVER = server;
          KUBECONFIG = "/etc/rancher/k3s/k3s.yaml";
        };
        serviceConfig = import ../kubernetes-client.nix // {
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
