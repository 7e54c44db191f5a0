# Files of the node whose contents are secrets, for programs that expect them at a certain place.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  types = lib.types // import ./types.nix { inherit lib; };
  cfg = config.rk1.secretFiles;
  unit = name: "secret-file-${name}";
  account = types.strMatching "[a-z_][a-z0-9_-]*";
in
{
  options.rk1.secretFiles = lib.mkOption {
    default = { };
    description = ''
      Files that the node makes from files of secrets, before the units that read them start, and again whenever the secret
      changes.
    '';
    example = {
      tailscale-key = {
        file = "/var/lib/rk1/secrets/tailscale-key";
        path = "/etc/tailscale/key";
        restart = [ "tailscaled.service" ];
      };
    };
    type = types.attrsOf (
      types.submodule {
        options = {
          file = lib.mkOption {
            type = types.secretFile;
            description = "File on the node with the secret. It gets there when the node is flashed, never through the Nix store.";
            example = "/var/lib/rk1/secrets/tailscale-key";
          };

          path = lib.mkOption {
            type = types.strMatching "(/\\.?[A-Za-z0-9_][A-Za-z0-9._-]*){2,}";
            description = "Path of the file that is made.";
            example = "/etc/tailscale/key";
          };

          owner = lib.mkOption {
            type = account;
            default = "root";
            example = "grafana";
            description = "User that owns the file.";
          };

          group = lib.mkOption {
            type = account;
            default = "root";
            example = "grafana";
            description = "Group of the file.";
          };

          mode = lib.mkOption {
            type = types.strMatching "[46][04][04]";
            default = "400";
            example = "440";
            description = "Mode of the file, in octal.";
          };

          restart = lib.mkOption {
            type = types.listOf (types.strMatching "[A-Za-z0-9][A-Za-z0-9_.:@-]*");
            default = [ ];
            example = [ "tailscaled.service" ];
            description = "Units that start after the file is in place, and are restarted when its content changes.";
          };
        };
      }
    );
  };

  config = lib.mkIf (cfg != { }) {
    rk1.secrets.readers = map (name: "${unit name}.service") (builtins.attrNames cfg);

    assertions = lib.concatLists (
      lib.mapAttrsToList (name: file: [
        {
          assertion = config.users.users ? ${file.owner};
          message = "rk1.secretFiles.${name}: the node has no user `${file.owner}`: define it in a local file, or write another `owner`";
        }
        {
          assertion = config.users.groups ? ${file.group};
          message = "rk1.secretFiles.${name}: the node has no group `${file.group}`: define it in a local file, or write another `group`";
        }
      ]) cfg
    );

    systemd.services = lib.mapAttrs' (
      name: file:
      lib.nameValuePair (unit name) {
        description = "Make the file of the secret ${name}";
        wantedBy = [ "multi-user.target" ];
        before = file.restart;
        after = [ "node-secrets.service" ];
        unitConfig.RequiresMountsFor = [ (dirOf file.path) ];
        path = [ pkgs.diffutils ];
        environment = {
          SOURCE = file.file;
          TARGET = file.path;
          OWNER = file.owner;
          GROUP = file.group;
          MODE = file.mode;
          RESTART = toString file.restart;
        };
        serviceConfig = import ./systemctl-sandbox.nix // {
          Type = "oneshot";
          # Outside the restrictions (systemd.service(5)): the folder may be missing.
          ExecStartPre = "+${pkgs.coreutils}/bin/mkdir --parents --mode 0755 ${dirOf file.path}";
          # Whoever owns the folder may be another user.
          CapabilityBoundingSet = [
            "CAP_CHOWN"
            "CAP_DAC_OVERRIDE"
            "CAP_FOWNER"
          ];
          # Nothing but the folder can be written, also if its owner puts a link there.
          ReadWritePaths = [ (dirOf file.path) ];
          ProtectHome = false;
          SystemCallFilter = [ "@system-service" ];
        };
        script = builtins.readFile ./secret-files.sh;
      }
    ) cfg;

    systemd.paths = lib.mapAttrs' (
      name: file:
      lib.nameValuePair (unit name) {
        description = "Watch the secret ${name}";
        wantedBy = [ "multi-user.target" ];
        pathConfig.PathChanged = file.file;
      }
    ) cfg;
  };
}
