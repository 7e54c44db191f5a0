# A host of the example as its image would hold it, evaluated over the tree of tests/modules/nix/tree.
{ name }:
let
  inherit (import ../modules/nix/tree/tree.nix) lib outputs;
  inherit (outputs.nixosConfigurations.${name}.extendModules { modules = [ changes ]; }) config;
  # What differs from the host as rendered: a server of the test, a short wait for the time server that is not there, and
  # encryption, which the example leaves out.
  changes =
    { lib, ... }:
    {
      rk1.streamer.url = lib.mkForce "http://172.16.10.9:3000";
      rk1.clock.timeout = 20;
      rk1.storage.keyFile = "/var/lib/rk1/secrets/${name}-disk";
    };
  identity = import ../../images/identity.nix { inherit config lib; };

  # Contents of a folder by target: a text, or a path in the store.
  files = lib.mapAttrs' (_: file: lib.nameValuePair file.target { source = "${file.source}"; });
  contents = {
    boot = import ../modules/nix/tree/boot.nix { inherit lib; } config;
    etc = files (lib.filterAttrs (_: file: file.enable) config.environment.etc);
    initrd = lib.mapAttrs (_: file: {
      inherit (file) text;
      source = if file.text == null then "${file.source}" else null;
    }) (lib.filterAttrs (_: file: file.enable) config.boot.initrd.systemd.contents);
    toplevel = "${config.system.build.toplevel}";
  };
in
contents
// {
  udevRules = config.services.udev.extraRules;
  inherit (identity)
    rootUuid
    rootLabel
    diskId
    seedId
    ;
  layout = import ../../images/layout.nix;
  kernelParams = config.boot.kernelParams;
  # Names the derivations of everything above: the initrd's are not among the inputs of a system whose initrd cannot be built.
  derivation =
    (derivation {
      name = "host";
      system = "aarch64-linux";
      builder = "/not/built/here";
      contents = builtins.toJSON contents;
    }).drvPath;
}
