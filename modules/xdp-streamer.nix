# The daemon that shows the packets that the node receives: one instance an interface, with three capabilities.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  types = lib.types // import ./types.nix { inherit lib; };
  cfg = config.rk1.streamer;
  instances = import ./xdp-streamer/instances.nix {
    inherit lib;
    inherit (cfg) interfaces stream;
    host = config.networking.hostName;
  };

  # Both expand in ExecStart (systemd.service(5), "Command lines").
  argument = text: builtins.toJSON (lib.replaceStrings [ "%" "$" ] [ "%%" "$$" ] text);

  # The token and the hash's key come as credentials: the command line holds no secret.
  command =
    {
      interface,
      stream,
      number,
      ...
    }:
    lib.concatStringsSep " " (
      [
        (lib.getExe pkgs.xdp-streamer)
        "run"
        "--sink=grafana"
      ]
      ++ map argument (
        [
          "--url=${cfg.url}"
          "--stream=${stream}"
          (
            if interface == null then
              "--address=${config.rk1.network.ipv4}"
            else
              "--interface=${interface}"
          )
          "--hook=${cfg.hook}"
        ]
        ++ lib.optional (cfg.hook == "xdp") "--xdp-mode=${cfg.xdpMode}"
        ++ [
          "--budget=${toString cfg.budget}"
          "--interval=${toString cfg.interval}ms"
          "--talkers=${toString cfg.talkers}"
          "--addresses=${cfg.privacy.addresses}"
          "--mac=${cfg.privacy.macs}"
        ]
        ++ lib.optional (!cfg.privacy.ports) "--no-ports"
        ++ lib.optional (
          cfg.metricsPort != null
        ) "--metrics=127.0.0.1:${toString (cfg.metricsPort + number)}"
      )
      ++ lib.optional (cfg.privacy.addresses == "hash") "--hash-key-file=%d/hash-key"
    );

  service = instance: {
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
    serviceConfig = import ./xdp-streamer/sandbox.nix // {
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
  };
in
{
  # It stands alone, too.
  imports = [ ./node-secrets.nix ];

  options.rk1.streamer = import ./xdp-streamer/options.nix { inherit lib types; };

  config = lib.mkIf cfg.enable {
    rk1.secrets.readers = map (instance: "${instance.name}.service") instances;

    systemd.services = lib.listToAttrs (
      map (instance: {
        inherit (instance) name;
        value = service instance;
      }) instances
    )
    // {
      # A credential is a copy made at the start.
      streamer-token = {
        description = "Give the streamer its new token";
        serviceConfig = {
          Type = "oneshot";
          ExecStart = "${config.systemd.package}/bin/systemctl restart --no-block ${
            lib.concatMapStringsSep " " (instance: "${instance.name}.service") instances
          }";
        };
      };
    };

    systemd.paths.streamer-token = {
      description = "Watch the streamer's token";
      wantedBy = [ "multi-user.target" ];
      after = [ "node-secrets.service" ];
      pathConfig.PathChanged = cfg.tokenFile;
    };

    assertions = [
      {
        assertion = cfg.url != null;
        message = "rk1.streamer: nobody says where Grafana is: set url, such as `https://grafana.example.org`, or let a node run one with rk1.grafana.node.";
      }
      {
        assertion = cfg.tokenFile != null;
        message = "rk1.streamer: Grafana takes no rows without a token: set tokenFile to a file on the node, such as `/var/lib/rk1/secrets/grafana-token`.";
      }
      {
        assertion = cfg.privacy.addresses == "hash" -> cfg.privacy.hashKeyFile != null;
        message = "rk1.streamer.privacy: hashed addresses need a key: set hashKeyFile to a file on the node that holds 16 random bytes or more.";
      }
      {
        assertion = lib.allUnique cfg.interfaces;
        message = "rk1.streamer.interfaces names one interface twice: name each once.";
      }
      {
        assertion = lib.all (instance: lib.stringLength instance.stream <= 100) instances;
        message = "rk1.streamer.stream makes a stream's name longer than Grafana Live's 100 characters: shorten `${cfg.stream}`.";
      }
    ];
  };
}
