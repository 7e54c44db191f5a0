# Option types that report a wrong value where it is written. This is a library, not a module.
{ lib }:
let
  octet = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
  ipv4 = "${octet}(\\.${octet}){3}";
  prefix = "(3[0-2]|[12]?[0-9])";
  ipv6 = import ./types/ipv6.nix { inherit lib; };

  # A string that a function accepts or refuses.
  judged =
    name: description: isValid:
    lib.mkOptionType {
      inherit name description;
      descriptionClass = "noun";
      check = value: builtins.isString value && isValid value;
      merge = lib.mergeEqualOption;
    };

  # RFC 1123, section 2.1
  label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";

  matching =
    description: pattern:
    lib.types.strMatching pattern
    // {
      inherit description;
      descriptionClass = "noun";
    };
in
rec {
  ipv4Address = matching "IPv4 address" ipv4;

  # The address of an interface, with the prefix length of its network.
  ipv4Interface = matching "IPv4 address with prefix length" "${ipv4}/${prefix}";

  ipv4Network = matching "IPv4 network in CIDR form" "${ipv4}/${prefix}";

  ipv6Address = judged "ipv6Address" "IPv6 address" ipv6.isAddress;

  ipv6Interface = judged "ipv6Interface" "IPv6 address with prefix length" ipv6.isWithPrefix;

  ipv6Network = judged "ipv6Network" "IPv6 network in CIDR form" ipv6.isWithPrefix;

  ipAddress = lib.types.either ipv4Address ipv6Address;

  hostName = matching "host name of one label (RFC 1123)" label;

  domainName = matching "domain name (RFC 1123)" "${label}(\\.${label})*";

  # Options in front of the key are refused. They belong in users.users.root.openssh.authorizedKeys.
  sshPublicKey = matching "OpenSSH public key" "(ssh-|sk-|ecdsa-)[a-z0-9@.-]+ [A-Za-z0-9+/=]+( [^\n]*)?";

  # At most 15 bytes (IFNAMSIZ of Linux). The name is also part of unit names and of streams in Grafana Live.
  interfaceName = matching "name of a network interface" "[A-Za-z0-9_][A-Za-z0-9._-]{0,14}";

  # A pattern of systemd.network(5) for such names.
  interfacePattern = matching "name of a network interface, or a pattern" "[A-Za-z0-9_*?][A-Za-z0-9._*?-]{0,14}";

  macAddress = matching "MAC address" "[0-9a-f]{2}(:[0-9a-f]{2}){5}";

  ipNetwork = lib.types.either ipv4Network ipv6Network;

  # The characters of Grafana Live's channels (live/channel.go of grafana-plugin-sdk-go).
  streamName = matching "name of a stream in Grafana Live" "[A-Za-z0-9._-]{1,64}";

  # The streamer reads it, and refuses what it does not support. On one line, because it is an argument in a unit.
  filterExpression = matching "expression of tcpdump on one line" "[^\n]*[^[:space:]][^\n]*";

  sizeOrTime = matching "size or time with its unit" "[1-9][0-9]*(KiB|MiB|GiB|s|m|h)";

  httpUrl = matching "http or https URL" "https?://[^[:space:]]+";

  # A string, because Nix would copy the file of a path literal into the store. Plain components only, because the path is
  # used in units, where `..`, spaces and `%` have other meanings.
  secretFile =
    let
      isPlain = value: builtins.match "(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+" value != null;
      inStore = value: lib.hasPrefix "${builtins.storeDir}/" "${value}/" || builtins.hasContext value;
    in
    lib.mkOptionType {
      name = "secretFile";
      description = "absolute path on the node, outside the Nix store";
      descriptionClass = "noun";
      check = value: builtins.isString value && isPlain value && !inStore value;
      merge = lib.mergeEqualOption;
    };
}
