# The node's side of `rk1 deploy` for secrets: compares those that the node has, and replaces those that differ.
{
  config,
  lib,
  pkgs,
  ...
}:
{
  environment.systemPackages = [
    (pkgs.writeShellApplication {
      name = "rk1-secrets";
      runtimeInputs = [ pkgs.coreutils ];
      runtimeEnv.SECRETS = config.rk1.secrets.directory;
      text = builtins.readFile ./replace-secrets.sh;
    })
  ];
}
