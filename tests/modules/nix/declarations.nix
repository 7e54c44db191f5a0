# Option declarations made from data: a list of { name, type } as the NixOS manual lists them. Nothing has a
# default that the data does not give; reading an option that nobody defined is an error.
{ lib }:
entries:
let
  parse = import ./type-strings.nix { inherit lib submodule; };
  # Each description is read once, however many options have it.
  parsed = lib.mapAttrs (text: _: parse text) (builtins.groupBy (entry: entry.type) entries);

  # The manual prints a quoted part of a name between underscores, and may print dots inside: not to be read back.
  isMangled = part: builtins.match "_[^0-9].*" part != null && part != "_name_";
  split = entry: entry // { path = lib.splitString "." entry.name; };
  all = map split entries;
  mangled = builtins.filter (entry: lib.any isMangled entry.path) all;
  usable = builtins.filter (entry: !lib.any isMangled entry.path) all;

  tree =
    level: here:
    lib.mapAttrs (
      _: below:
      let
        own = builtins.filter (entry: builtins.length entry.path == level + 1) below;
      in
      {
        option = if own == [ ] then null else lib.last own;
        children = tree (level + 1) (builtins.filter (entry: builtins.length entry.path > level + 1) below);
      }
    ) (builtins.groupBy (entry: builtins.elemAt entry.path level) here);

  named = lib.filterAttrs (name: _: name != "_" && name != "_name_");

  submodule = node: lib.types.submodule { options = declareInside (named node.children); };

  # Options below one that is no submodule: it is a freeform module of that type.
  withFreeform =
    node: type:
    let
      inner = named node.children;
    in
    if inner == { } || lib.hasInfix "submodule" node.option.type then
      type
    else
      lib.types.submodule {
        freeformType = type;
        options = declareInside inner;
      };

  # Inside a submodule, an option that nobody set has the value `unset`: a whole submodule can then be forced,
  # which checks every definition in it.
  unset = {
    _unset = true;
  };
  orUnset =
    type:
    type
    // {
      check = value: value == unset || type.check value;
      merge =
        location: definitions:
        let
          set = builtins.filter (definition: definition.value != unset) definitions;
        in
        if set == [ ] then unset else (lib.modules.mergeDefinitions location type set).mergedValue;
      substSubModules = modules: orUnset (type.substSubModules modules);
    };
  inside =
    option:
    if option ? default then
      option
    else
      option
      // {
        type = orUnset option.type;
        default = unset;
      };

  declareWith =
    finish:
    lib.mapAttrs (
      _: node:
      if node.option != null then
        finish (
          lib.mkOption (
            {
              type = withFreeform node (parsed.${node.option.type}.type node);
            }
            // lib.optionalAttrs (node.option ? default) { inherit (node.option) default; }
          )
        )
      else if node.children ? _name_ then
        lib.mkOption {
          type = lib.types.attrsOf (submodule node.children._name_);
          default = { };
        }
      else
        declareWith finish node.children
    );
  declareInside = declareWith inside;
in
{
  options = declareWith lib.id (tree 0 usable);
  counts = {
    declared = builtins.length usable;
    mangled = builtins.length mangled;
    # Options with a type, or a part of one, that accepts anything because its description cannot be read.
    unread = builtins.length (builtins.filter (entry: parsed.${entry.type}.unread != [ ]) usable);
    descriptions = builtins.length (builtins.attrNames parsed);
  };
}
