# Which values our option types take, by name.
let
  lib = import <nixpkgs/lib>;
  types = import ../../../modules/types.nix { inherit lib; };
  takes =
    type: values:
    lib.listToAttrs (
      map (value: {
        name = builtins.toString value;
        value = type.check value;
      }) values
    );
in
{
  ipv4Address = takes types.ipv4Address [
    "172.16.10.221"
    "0.0.0.0"
    "255.255.255.255"
    "256.1.1.1"
    "01.2.3.4"
    "1.2.3"
    "1.2.3.4.5"
    "1.2.3.4/24"
    "1.2.3.4\n"
    ""
  ];
  ipv4Interface = takes types.ipv4Interface [
    "172.16.10.221/24"
    "172.16.10.221/0"
    "172.16.10.221/32"
    "172.16.10.221/33"
    "172.16.10.221/024"
    "172.16.10.221"
  ];
  ipv6Address = takes types.ipv6Address [
    "fd00:172:16:10::221"
    "2001:DB8::1"
    "::"
    "::1"
    "1:2:3:4:5:6:7:8"
    "1:2:3:4:5:6:7::"
    "1:2:3:4:5:6:7"
    "1:2:3:4:5:6:7:8:9"
    "1:2:3:4::5:6:7:8"
    "1::2::3"
    ":::"
    ":1:2:3:4:5:6:7"
    "fd00::g"
    "fd00::12345"
    "::ffff:192.0.2.1"
    "fe80::1%end0"
    "fd00::1/64"
    "172.16.10.221"
    ""
  ];
  ipv6Interface = takes types.ipv6Interface [
    "fd00:172:16:10::221/64"
    "fd00::1/0"
    "fd00::1/128"
    "fd00::1/129"
    "fd00::1/064"
    "fd00::1/64/64"
    "fd00::1"
    "172.16.10.221/24"
  ];
  interfaceName = takes types.interfaceName [
    "end0"
    "end0.100"
    "enx00e04c680001"
    "enx00e04c6800012"
    "end0:1"
    "end 0"
    ".."
    "-end0"
    ""
  ];
  streamName = takes types.streamName [
    "turing-pi"
    "a/b"
    "a b"
    ""
  ];
  hostName = takes types.hostName [
    "rk1-01"
    "a"
    "-a"
    "a-"
    "A"
    "a.b"
    (lib.concatStrings (lib.replicate 63 "a"))
    (lib.concatStrings (lib.replicate 64 "a"))
  ];
  domainName = takes types.domainName [
    "example.org"
    "localdomain"
    "example..org"
    "example.org."
    "exa_mple.org"
  ];
  sshPublicKey = takes types.sshPublicKey [
    "ssh-ed25519 AAAAC3Nz"
    "ssh-ed25519 AAAAC3Nz a comment"
    "ecdsa-sha2-nistp256 AAAAE2Vj= x"
    "sk-ssh-ed25519@openssh.com AAAAGnNr x"
    "ssh-ed25519"
    "no-pty ssh-ed25519 AAAAC3Nz"
    "-----BEGIN OPENSSH PRIVATE KEY-----"
    "ssh-ed25519 AAAAC3Nz x\nssh-ed25519 AAAAC3Nz y"
  ];
  httpUrl = takes types.httpUrl [
    "https://example.org"
    "http://192.0.2.1:3000/path"
    "example.org"
    "ftp://example.org"
    "https://"
    "https://example.org/a b"
  ];
  secretFile =
    takes types.secretFile [
      "/var/lib/rk1/secrets/k3s-token"
      "/run/secrets/token"
      "/nix/store/00000000000000000000000000000000-token"
      "secrets/token"
      "/nix/store/../store/00000000000000000000000000000000-token"
      "/var/lib/../../nix/store/x"
    ]
    // {
      pathLiteral = types.secretFile.check ./type-values.nix;
      stringWithContext = types.secretFile.check "/var/lib/${builtins.toFile "token" "x"}";
    };
  filterExpression = takes types.filterExpression [
    "tcp port 443 and not host 192.0.2.1"
    "arp"
    " "
    ""
    "tcp\nudp"
  ];
  sizeOrTime = takes types.sizeOrTime [
    "100MiB"
    "1h"
    "30s"
    "0MiB"
    "100"
    "1 h"
    "1d"
  ];
}
