# The command line of an instance. It contains no secret: the token and the hash key are credentials.
{
  lib,
  cfg,
  program,
  # The node's address. An instance without an interface captures on the interface that has it.
  address,
}:
let
  # systemd expands both characters in ExecStart (systemd.service(5), "Command lines").
  argument = text: builtins.toJSON (lib.replaceStrings [ "%" "$" ] [ "%%" "$$" ] text);
in
{
  interface,
  stream,
  number,
  ...
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
