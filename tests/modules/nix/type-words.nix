# Types whose whole description is one fixed text, and the types that NixOS's modules make for themselves.
{ lib }:
let
  inherit (lib) types;

  scalars = [
    types.bool
    types.int
    types.float
    types.str
    types.path
    types.package
  ];
  atom = types.nullOr (types.oneOf scalars);

  # Lists and attribute sets of anything that a file format can hold.
  formatValue =
    let
      nested = [
        (types.attrsOf value)
        (types.listOf value)
      ];
      value = types.nullOr (types.oneOf (scalars ++ nested)) // {
        description = "format value";
      };
    in
    value;

  # nixos/lib/systemd-lib.nix: lists from several definitions are joined, all else must agree.
  systemdOption = lib.mkOptionType {
    name = "systemdOption";
    check =
      let
        isWord =
          value:
          lib.any (is: is value) [
            builtins.isBool
            builtins.isInt
            builtins.isNull
            builtins.isPath
            builtins.isString
            lib.isDerivation
          ];
      in
      value: isWord value || builtins.isList value && lib.all isWord value;
    merge =
      location: definitions:
      if lib.any (definition: builtins.isList definition.value) definitions then
        lib.concatMap (definition: lib.toList definition.value) definitions
      else
        lib.mergeEqualOption location definitions;
  };

  # nixos/modules/config/sysctl.nix
  sysctlValue = lib.mkOptionType {
    name = "sysctlValue";
    check =
      value:
      lib.any (is: is value) [
        builtins.isBool
        builtins.isInt
        builtins.isNull
        builtins.isString
      ];
    merge = lib.mergeOneOption;
  };

  overlay = lib.mkOptionType {
    name = "nixpkgs-overlay";
    check = builtins.isFunction;
    merge = lib.mergeOneOption;
  };

  # nixos/modules/misc/nixpkgs.nix merges what several modules say; here the last name wins only if they agree.
  nixpkgsConfig = types.attrsOf types.raw;

  words = {
    "anything" = types.anything;
    "absolute path" = types.addCheck types.str (lib.hasPrefix "/");
    "attribute set" = types.attrs;
    "boolean" = types.bool;
    "floating point number" = types.float;
    "integer" = types.int;
    "non-empty string" = types.nonEmptyStr;
    "nixpkgs config" = nixpkgsConfig;
    "nixpkgs overlay" = overlay;
    "none" = types.raw;
    "nonnegative integer or floating point number, meaning >=0" = types.numbers.nonnegative;
    "package" = types.package;
    "path" = types.path;
    "path in the Nix store" = types.pathInStore;
    "positive integer, meaning >0" = types.ints.positive;
    "positive integer or floating point number, meaning >0" = types.numbers.positive;
    "raw value" = types.raw;
    "signed integer" = types.int;
    "(optionally newline-terminated) single-line string" = types.singleLineStr;
    "string" = types.str;
    "string without spaces" = types.strMatching "[^ ]*";
    "string, not containing newlines or colons" = types.passwdEntry types.str;
    "path, not containing newlines or colons" = types.passwdEntry types.path;
    "string, with spaces inside double quotes" = types.str;
    "strings" = types.str;
    "sysctl option value" = sysctlValue;
    "systemd option" = systemdOption;
    "unsigned integer, meaning >=0" = types.ints.unsigned;
    "unspecified value" = types.unspecified;
    "a list of them for duplicate keys" = types.listOf atom;
    "a non-empty list of them" = types.nonEmptyListOf atom;
    "An evaluation of Nixpkgs; the top level attribute set of packages" = types.raw;
  }
  // lib.genAttrs [
    "Elixir value"
    "HOCON value"
    "JSON value"
    "PHP value"
    "Python value"
    "TOML value"
    "YAML value"
  ] (_: formatValue);
in
{
  inherit atom words;
}
