# An argument of a command line in a unit: systemd expands both characters in ExecStart (systemd.service(5), "Command lines").
{ lib }: text: builtins.toJSON (lib.replaceStrings [ "%" "$" ] [ "%%" "$$" ] text)
