# From the description of an option's type, as NixOS's manual prints it, to the type. What cannot be read
# becomes `raw` and is named in `unread`, so that a test can count it.
#
# A parsed type is { unread; type = node: …; }: `node` is the option's place in the tree of declarations, where
# a submodule finds its own options (`_name_` below an attribute set, `_` below a list).
{ lib, submodule }:
let
  inherit (lib) types;

  known = type: {
    unread = [ ];
    type = _: type;
  };

  child = name: node: node.children.${name} or { children = { }; };

  inherit (import ./type-words.nix { inherit lib; }) atom words;

  # Where a text has " or " outside brackets and quotation marks.
  alternatives =
    text:
    let
      step =
        state: piece:
        if builtins.isString piece then
          state // { current = state.current + piece; }
        else
          let
            mark = builtins.head piece;
            opens = mark == "(" || mark == "“";
            closes = mark == ")" || mark == "”";
          in
          if mark == " or " && state.depth == 0 then
            state
            // {
              done = state.done ++ [ state.current ];
              current = "";
            }
          else
            state
            // {
              depth =
                if opens then
                  state.depth + 1
                else if closes then
                  state.depth - 1
                else
                  state.depth;
              current = state.current + mark;
            };
      end = lib.foldl' step {
        done = [ ];
        current = "";
        depth = 0;
      } (builtins.split "([(]|[)]|“|”| or )" text);
    in
    end.done ++ [ end.current ];

  inBrackets =
    text:
    let
      match = builtins.match "[(](.*)[)]" text;
      # "(a) or (b)" begins and ends with brackets, too.
      depths =
        lib.foldl'
          (
            state: piece:
            if builtins.isString piece then
              state // { early = state.early || (state.depth == 0 && state.opened && piece != ""); }
            else
              {
                opened = true;
                depth = state.depth + (if builtins.head piece == "(" then 1 else -1);
                inherit (state) early;
              }
          )
          {
            depth = 0;
            opened = false;
            early = false;
          }
          (builtins.split "([(]|[)])" text);
    in
    if match == null || depths.early then null else builtins.head match;

  quoted =
    text: map builtins.head (builtins.filter builtins.isList (builtins.split "“([^”]*)”" text));

  number = text: builtins.fromJSON text;

  # A prefix and what it does to the rest; the first that fits is taken.
  rules = [
    {
      pattern = "null or (.*)";
      read = rest: map' types.nullOr lib.id (parse (builtins.head rest));
    }
    {
      pattern = "string matching the pattern (.*)";
      read = rest: known (types.strMatching (builtins.head rest));
    }
    {
      pattern = "(list of string matching the pattern .*)";
      read =
        rest: map' types.listOf (child "_") (parse (lib.removePrefix "list of " (builtins.head rest)));
    }
    {
      pattern = "(one of .*)";
      read =
        rest:
        let
          parts = alternatives (builtins.head rest);
          numbers = builtins.match "one of ([0-9]+(, [0-9]+)*)" (builtins.head parts);
          values =
            if numbers != null then
              map number (lib.splitString ", " (builtins.head numbers))
            else
              quoted (builtins.head parts);
        in
        either' ([ (known (types.enum values)) ] ++ map parse (builtins.tail parts));
    }
    {
      pattern = "(value “[^”]*” [(]singular enum[)])";
      read = rest: known (types.enum (quoted (builtins.head rest)));
    }
  ];

  laterRules = [
    {
      pattern = "non-empty [(]list of (.*)[)]";
      read = rest: map' types.nonEmptyListOf (child "_") (parse (builtins.head rest));
    }
    {
      pattern = "list of (.*)";
      read = rest: map' types.listOf (child "_") (parse (builtins.head rest));
    }
    {
      pattern = "lazy attribute set of (.*)";
      read = rest: map' types.lazyAttrsOf (child "_name_") (parse (builtins.head rest));
    }
    {
      pattern = "attribute set of (.*)";
      read = rest: map' types.attrsOf (child "_name_") (parse (builtins.head rest));
    }
    {
      pattern = "function that evaluates to a[(]n[)] (.*)";
      read = rest: map' types.functionTo lib.id (parse (builtins.head rest));
    }
    {
      pattern = "(.*) convertible to it";
      read = rest: parse (builtins.head rest);
    }
    {
      pattern = "string [(]with check: (.*)[)]";
      read =
        rest:
        known (if lib.hasPrefix "non-empty" (builtins.head rest) then types.nonEmptyStr else types.str);
    }
    {
      pattern = "[0-9]+ bit (un)?signed integer; between (-?[0-9]+) and (-?[0-9]+) [(]both inclusive[)]";
      read =
        rest:
        known (types.ints.between (number (builtins.elemAt rest 1)) (number (builtins.elemAt rest 2)));
    }
    {
      pattern = "integer between (-?[0-9]+) and (-?[0-9]+) [(]both inclusive[)]";
      read =
        rest:
        known (types.ints.between (number (builtins.elemAt rest 0)) (number (builtins.elemAt rest 1)));
    }
    {
      pattern = "strings concatenated with [“\"](.*)[”\"]";
      read =
        rest: known (types.separatedString (lib.replaceStrings [ "\\n" ] [ "\n" ] (builtins.head rest)));
    }
    {
      pattern = "((Nix config |INI )?atom [(]null, bool, int, float.*[)])";
      read = _: known atom;
    }
    {
      pattern = "(section of an INI file [(]attrs of INI atom .*[)])";
      read = _: known (types.attrsOf (types.either atom (types.listOf atom)));
    }
  ];

  map' = wrap: descend: inner: {
    inherit (inner) unread;
    type = node: wrap (inner.type (descend node));
  };

  either' = parts: {
    unread = lib.concatMap (part: part.unread) parts;
    type = node: types.oneOf (map (part: part.type node) parts);
  };

  firstRule =
    candidates: text:
    lib.findFirst (result: result != null) null (
      map (
        rule:
        let
          match = builtins.match rule.pattern text;
        in
        if match == null then null else rule.read match
      ) candidates
    );

  parse =
    text:
    let
      early = firstRule rules text;
      parts = alternatives text;
      inner = inBrackets text;
      late = firstRule laterRules text;
    in
    if words ? ${text} then
      known words.${text}
    else if text == "submodule" then
      {
        unread = [ ];
        type = submodule;
      }
    else if early != null then
      early
    else if builtins.length parts > 1 then
      either' (map parse parts)
    else if inner != null then
      parse inner
    else if late != null then
      late
    else
      {
        unread = [ text ];
        type = _: types.raw;
      };
in
parse
