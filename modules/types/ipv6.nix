# Whether a string is an IPv6 address, with or without a prefix length.
{ lib }:
let
  prefix = "(12[0-8]|1[01][0-9]|[1-9]?[0-9])";
in
rec {
  # RFC 4291, section 2.2, except for the form that ends in an IPv4 address.
  isAddress =
    text:
    let
      halves = lib.splitString "::" text;
      groups = lib.concatMap (half: if half == "" then [ ] else lib.splitString ":" half) halves;
      isGroup = group: builtins.match "[0-9a-fA-F]{1,4}" group != null;
      # `::` stands for at least one group of zeros.
      isComplete =
        if lib.length halves == 1 then
          lib.length groups == 8
        else
          lib.length halves == 2 && lib.length groups < 8;
    in
    isComplete && lib.all isGroup groups;

  isWithPrefix =
    text:
    let
      parts = lib.splitString "/" text;
    in
    lib.length parts == 2
    && isAddress (lib.head parts)
    && builtins.match prefix (lib.last parts) != null;
}
