# A unit as NixOS writes it (nixos/lib/systemd-lib.nix), without what it adds to every unit.
{ lib }:
let
  isSet = value: value != { _unset = true; };
  plain = value: if builtins.isBool value then lib.boolToString value else builtins.toString value;
  lines =
    name: value:
    map (item: "${name}=${plain item}") (if builtins.isList value then value else [ value ]);
  section =
    name: settings:
    "[${name}]\n"
    + lib.concatMapStrings (line: "${line}\n") (
      lib.concatLists (lib.mapAttrsToList lines (lib.filterAttrs (_: isSet) settings))
    );
  orEmpty = value: if isSet value then value else { };
  listed = name: value: lib.optionalAttrs (isSet value) { ${name} = lib.concatStringsSep " " value; };
  unit =
    unit:
    section "Unit" (
      {
        Description = unit.description;
        StartLimitIntervalSec = unit.startLimitIntervalSec or { _unset = true; };
      }
      // listed "After" unit.after
      // listed "Before" unit.before
      // listed "Wants" unit.wants
      // listed "Conflicts" unit.conflicts
      // orEmpty unit.unitConfig
    );
  install =
    unit:
    lib.optionalString (isSet unit.wantedBy) (
      section "Install" (listed "WantedBy" unit.wantedBy // listed "RequiredBy" unit.requiredBy)
    );
  environment =
    unit:
    map (name: builtins.toJSON "${name}=${plain unit.environment.${name}}") (
      builtins.attrNames (orEmpty unit.environment)
    );
in
{
  service =
    service:
    unit service
    + section "Service" (
      lib.optionalAttrs (isSet service.environment) { Environment = environment service; }
      // lib.optionalAttrs (isSet service.script) { ExecStart = "/the/script"; }
      // service.serviceConfig
    )
    + install service;

  path = path: unit path + section "Path" path.pathConfig + install path;
}
