# What `nix flake check` does, without building a program or starting a machine: it evaluates every host, with NixOS's
# assertions, and checks the layout of Nix files and the scripts.
{
  self,
  lib,
  pkgs,
}:
let
  # Evaluates a host without building it: on x86_64, a build would need an aarch64 builder.
  evaluation =
    name: host:
    pkgs.writeText "${name}-evaluates" (
      builtins.unsafeDiscardStringContext host.config.system.build.toplevel.drvPath
    );

  files =
    extension:
    lib.fileset.toSource {
      root = ../.;
      fileset = lib.fileset.fileFilter (file: file.hasExt extension) ../.;
    };
in
lib.mapAttrs' (
  name: host: lib.nameValuePair "evaluate-${name}" (evaluation name host)
) self.nixosConfigurations
// {
  format = pkgs.runCommand "nix-files-are-formatted" { nativeBuildInputs = [ pkgs.nixfmt ]; } ''
    find ${files "nix"} -name '*.nix' -exec nixfmt --check {} +
    touch "$out"
  '';

  scripts =
    pkgs.runCommand "scripts-pass-shellcheck" { nativeBuildInputs = [ pkgs.shellcheck-minimal ]; }
      ''
        find ${files "sh"} -path '*/modules/*' -name '*.sh' -exec shellcheck --shell=bash {} +
        touch "$out"
      '';
}
