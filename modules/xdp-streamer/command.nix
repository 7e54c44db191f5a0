# The command line of an instance. It contains no secret: the token and the hash key are credentials.
{
  lib,
  cfg,
  program,
  # The node's address. An instance without an interface captures on the interface that has it.
  address,
}:
let
  argument = import ../argument.nix { inherit lib; };
in
{
  name,
  interface,
  stream,
  number,
}:
lib.concatStringsSep " " (
  [
    program
    "run"
    "--sink=grafana"
  ]
  ++ map argument (
    [
      "--url=${cfg.url}"
      "--stream=${stream}"
      (if interface == null then "--address=${address}" else "--interface=${interface}")
    ]
    ++ lib.optional (cfg.hook != "auto") "--hook=${cfg.hook}"
    ++ lib.optional (cfg.hook == "xdp") "--xdp-mode=${cfg.xdpMode}"
    ++ lib.optional (cfg.direction != "in") "--direction=${cfg.direction}"
    ++ lib.optional (cfg.filter != null) "--filter=${cfg.filter}"
    ++ lib.optional cfg.allMulticast "--all-multicast"
    ++ lib.optionals cfg.write.enable [
      "--write=/var/lib/${name}/packets.pcapng"
      "--snaplen=${toString cfg.write.snaplen}"
      "--rotate=${cfg.write.rotate}"
      "--keep=${toString cfg.write.keep}"
    ]
    ++ [
      "--budget=${toString cfg.budget}"
      "--interval=${toString cfg.interval}ms"
      "--talkers=${toString cfg.talkers}"
      "--addresses=${cfg.privacy.addresses}"
      "--mac=${cfg.privacy.macs}"
    ]
    ++ lib.optional (!cfg.privacy.ports) "--no-ports"
    ++
      lib.optional (cfg.metricsPort != null)
        "--metrics=127.0.0.1:${toString (cfg.metricsPort + number)}"
  )
  ++ lib.optional (cfg.privacy.addresses == "hash") "--hash-key-file=%d/hash-key"
)
