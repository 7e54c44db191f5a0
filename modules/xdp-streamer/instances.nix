# The streamer's instances on a host, with the names of their units and of their streams in Grafana Live.
{
  lib,
  # An empty list means the interface that has the node's address.
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
