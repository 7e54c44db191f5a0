# The dashboard with the cluster's streams instead of the example's.
{ lib, streams }:
let
  dashboard = lib.importJSON ../../dashboards/packets.json;
  option = value: {
    inherit value;
    text = value;
    selected = value == builtins.head streams;
  };
  offer =
    variable:
    variable
    // {
      query = lib.concatStringsSep "," streams;
      options = map option streams;
      current =
        if variable.multi then
          {
            text = streams;
            value = streams;
          }
        else
          {
            text = builtins.head streams;
            value = builtins.head streams;
          };
    };
in
dashboard // { templating.list = map offer dashboard.templating.list; }
