# The streamer's instances on a host: its units and what their streams are called in Grafana Live.
{
  lib,
  # None means the one that has the node's address.
  interfaces,
  stream,
  host,
}:
if interfaces == [ ] then
  [
    {
      name = "xdp-streamer";
      interface = null;
      stream = "${stream}-${host}";
      number = 0;
    }
  ]
else
  lib.imap0 (number: interface: {
    name = "xdp-streamer-${interface}";
    stream = "${stream}-${host}-${interface}";
    inherit interface number;
  }) interfaces
