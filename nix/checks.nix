{
  self,
  lib,
  pkgs,
}:
let
  # Evaluates a host, assertions included, without building it: on x86_64 that would need an aarch64 builder.
  evaluation =
    name: host:
    pkgs.writeText "${name}-evaluates" (
      builtins.unsafeDiscardStringContext host.config.system.build.toplevel.drvPath
    );
in
lib.mapAttrs' (
  name: host: lib.nameValuePair "evaluate-${name}" (evaluation name host)
) self.nixosConfigurations
// {
  inherit (pkgs) rk1 xdp-streamer;
  guard = pkgs.testers.runNixOSTest ../tests/modules/vm/guard.nix;
  storage = pkgs.testers.runNixOSTest ../tests/modules/vm/storage.nix;
  streamer = pkgs.testers.runNixOSTest ../tests/modules/vm/streamer.nix;
}
