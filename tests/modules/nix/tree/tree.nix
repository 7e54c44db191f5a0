# The flake over the nixpkgs tree on Nix's search path: the real module tree and the real packages, as far as the tree has
# them.
let
  # Nix before 2.14 has no builtins.readFileType.
  lib = (import <nixpkgs/lib>).extend (
    _: previous:
    if builtins ? readFileType then
      { }
    else
      {
        filesystem = previous.filesystem // {
          pathType =
            path:
            if toString (dirOf path) == builtins.storeDir then
              "directory"
            else
              (builtins.readDir (dirOf path)).${baseNameOf path};
        };
      }
  );
  evaluate = import <nixpkgs/nixos/lib/eval-config.nix>;
  standIns = import ./stand-ins.nix { inherit lib; };

  packages =
    system:
    import <nixpkgs> {
      localSystem.system = system;
      config = { };
      overlays = [ standIns ];
    };

  # As nixpkgs' own flake defines it, with the source of nixpkgs and our stand-ins.
  nixosSystem =
    arguments:
    evaluate (
      {
        inherit lib;
        system = null;
      }
      // arguments
      // {
        modules = arguments.modules ++ [
          {
            nixpkgs = {
              overlays = lib.mkBefore [ standIns ];
              flake.source = "/not/copied/nixpkgs";
            };
            # `import pkgs.path` has no stand-ins.
            rk1.board.loader = lib.mkDefault "/not/built/here/u-boot-rockchip.bin";
          }
        ];
      }
    );

  channel = {
    lib = lib // {
      inherit nixosSystem;
    };
    legacyPackages = lib.genAttrs [ "aarch64-linux" "x86_64-linux" ] packages;
  };

  outputs = (import ../../../../flake.nix).outputs {
    self = outputs // {
      outPath = toString ../../../..;
    };
    nixpkgs = channel;
    nixpkgs-unstable = channel;
  };
in
{
  inherit lib outputs;

  # Whether the tree's module for k3s is new enough for ours.
  isNewEnough = outputs.nixosConfigurations.rk1-01.options.services.k3s ? nodeIP;
}
