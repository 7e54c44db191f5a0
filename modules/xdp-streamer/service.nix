# The systemd unit of an instance.
{
  lib,
  cfg,
  command,
}:
instance: {
  description = "Show the packets that ${
    if instance.interface == null then "the node" else instance.interface
  } receives in Grafana";
  # Wanted, never required: the node works without it.
  wantedBy = [ "multi-user.target" ];
  wants = [ "network-online.target" ];
  after = [
    "network-online.target"
    "nss-lookup.target"
    "node-secrets.service"
    "grafana-push-token.service"
  ];
  # A missing token or interface may appear any time later, so systemd tries again forever, at growing intervals.
  startLimitIntervalSec = 0;
  serviceConfig =
    import ./sandbox.nix { inherit lib cfg; }
    // {
      Type = "notify";
      ExecStart = command instance;
      LoadCredential = [
        "token:${cfg.tokenFile}"
      ]
      ++ lib.optional (cfg.privacy.addresses == "hash") "hash-key:${cfg.privacy.hashKeyFile}";
      Restart = "on-failure";
      # A wrong command line stays wrong.
      RestartPreventExitStatus = 2;
      RestartSec = 5;
      RestartSteps = 6;
      RestartMaxDelaySec = "5min";
      TimeoutStartSec = 30;
      # The streamer sends its last rows and detaches within two seconds.
      TimeoutStopSec = 5;
      WatchdogSec = 30;
    }
    // lib.optionalAttrs cfg.write.enable {
      StateDirectory = instance.name;
      StateDirectoryMode = "0700";
    };
}
