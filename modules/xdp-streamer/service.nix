# The unit of an instance.
{
  lib,
  cfg,
  command,
}:
instance: {
  description = "Show the packets that ${
    if instance.interface == null then "the node" else instance.interface
  } receives in Grafana";
  # Wanted, never required: without it the node boots and works all the same.
  wantedBy = [ "multi-user.target" ];
  wants = [ "network-online.target" ];
  after = [
    "network-online.target"
    "nss-lookup.target"
    "node-secrets.service"
    "grafana-push-token.service"
  ];
  # A missing token or interface is waited for, ever more patiently, never given up.
  startLimitIntervalSec = 0;
  serviceConfig = import ./sandbox.nix // {
    Type = "notify";
    ExecStart = command instance;
    LoadCredential = [
      "token:${cfg.tokenFile}"
    ]
    ++ lib.optional (cfg.privacy.addresses == "hash") "hash-key:${cfg.privacy.hashKeyFile}";
    Restart = "on-failure";
    # A misuse of the command line does not heal.
    RestartPreventExitStatus = 2;
    RestartSec = 5;
    RestartSteps = 6;
    RestartMaxDelaySec = "5min";
    TimeoutStartSec = 30;
    # It drains and detaches in two seconds.
    TimeoutStopSec = 5;
    WatchdogSec = 30;
  };
}
