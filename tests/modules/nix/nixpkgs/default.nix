# A stand-in for `import pkgs.path`, nixpkgs with a configuration of its own: it has the boot loaders, whose packages must be
# allowed as unfree, and no others.
{
  localSystem,
  config,
  overlays,
}:
let
  allows = pname: config.allowUnfreePredicate { inherit pname; };
in
assert overlays == [ ];
assert allows "rkbin" && allows "uboot-turing-rk1-rk3588_defconfig" && !allows "steam";
builtins.listToAttrs (
  map
    (name: {
      inherit name;
      value = derivation {
        inherit name;
        system = localSystem;
        builder = "/not/built/here";
      };
    })
    [
      "ubootCM3588NAS"
      "ubootTuringRK1"
    ]
)
