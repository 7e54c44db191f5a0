# A stand-in for nixpkgs that holds what surface.json lists and nothing else: any other attribute, and any
# argument that the real function does not take, is an error. Packages are derivations that nobody can build.
{
  lib,
  surface,
  nixos,
}:
let
  package =
    system: name: facts:
    derivation {
      inherit name system;
      builder = "/not/built/here";
    }
    // {
      pname = facts.pname or name;
      version = facts.version or "0";
      meta = lib.optionalAttrs (facts ? mainProgram) { inherit (facts) mainProgram; };
    };

  refuse =
    function: allowed: given:
    let
      unknown = lib.subtractLists allowed (builtins.attrNames given);
    in
    if unknown == [ ] then
      given
    else
      throw "`${function}` takes no argument `${builtins.head unknown}`: see tests/modules/nix/surface.json";

  # As a derivation sees its attributes: strings, lists of them, nothing that is only for evaluation.
  environment =
    given:
    removeAttrs given [
      "meta"
      "passthru"
    ];

  functions = final: system: {
    callPackage =
      file: overrides:
      let
        function = if lib.isFunction file then file else import file;
        arguments = lib.functionArgs function;
        missing = builtins.filter (name: !(arguments.${name} || final ? ${name} || overrides ? ${name})) (
          builtins.attrNames arguments
        );
      in
      if missing != [ ] then
        throw "callPackage: nixpkgs has no `${builtins.head missing}` in tests/modules/nix/surface.json"
      else
        function (builtins.intersectAttrs arguments final // overrides);

    # A file by its hash: named as its address ends, and of the same path whatever the address.
    fetchurl =
      given:
      let
        known = refuse "fetchurl" surface.functions.fetchurl.arguments given;
      in
      derivation {
        name = baseNameOf known.url;
        inherit system;
        inherit (known) url;
        builder = "/not/built/here";
        outputHash = known.hash;
        outputHashAlgo = null;
        outputHashMode = "flat";
      };

    runCommand =
      name: given: script:
      derivation (
        environment given
        // {
          inherit name system;
          builder = "/bin/sh";
          args = [
            "-c"
            script
          ];
        }
      )
      // given.passthru or { };

    writeShellApplication =
      given:
      let
        known = refuse "writeShellApplication" surface.functions.writeShellApplication.arguments given;
      in
      derivation {
        inherit (known) name text runtimeInputs;
        inherit system;
        runtimeEnv = builtins.toJSON known.runtimeEnv;
        builder = "/bin/sh";
      }
      // {
        meta.mainProgram = known.name;
      };

    writeText =
      name: text:
      derivation {
        inherit name system text;
        builder = "/bin/sh";
      };

    mkShell =
      given:
      derivation (
        environment (refuse "mkShell" surface.functions.mkShell.arguments given)
        // {
          name = given.name or "nix-shell";
          inherit system;
          builder = "/bin/sh";
        }
      );

    rustPlatform.buildRustPackage =
      given:
      let
        known = refuse "buildRustPackage" surface.functions."rustPlatform.buildRustPackage".arguments given;
        lock = builtins.fromTOML (builtins.readFile known.cargoLock.lockFile);
      in
      derivation (
        environment (
          removeAttrs known [
            "cargoLock"
            "env"
          ]
        )
        // known.env or { }
        // {
          name = "${known.pname}-${known.version}";
          crates = builtins.length lock.package;
          inherit system;
          builder = "/bin/sh";
        }
      )
      // {
        inherit (known) pname version;
        meta = known.meta or { };
      };

    testers.runNixOSTest = import ./vm-test.nix {
      inherit lib nixos system;
      pkgs = final;
    };
  };

  base =
    channel: system: final:
    let
      listed = lib.filterAttrs (_: facts: (facts.channel or "nixpkgs") == channel) surface.packages;
      tree = lib.foldl' lib.recursiveUpdate { } (
        lib.mapAttrsToList (
          name: facts:
          lib.setAttrByPath (lib.splitString "." name) (package system (facts.name or name) facts)
        ) listed
      );
      provided = functions final system;
      # What is offered is listed, and the other way round.
      names = builtins.attrNames surface.functions;
      offered = lib.all (name: lib.hasAttrByPath (lib.splitString "." name) provided) names;
      counted = lib.length (lib.collect lib.isFunction provided) == lib.length names;
    in
    assert offered && counted;
    lib.recursiveUpdate tree provided
    // {
      inherit lib;
      path = ./nixpkgs;
      pkgs = final;
      stdenv.hostPlatform = lib.systems.elaborate system;
      extend = overlay: lib.fix (lib.extends overlay (base channel system));
      appendOverlays =
        overlays: lib.fix (lib.foldl' (lib.flip lib.extends) (base channel system) overlays);
    };

in
channel: system: lib.fix (base channel system)
