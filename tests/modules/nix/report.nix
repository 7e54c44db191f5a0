# What the tests compare, as data.
{ data }:
let
  harness = import ./harness.nix { inherit data; };
  inherit (harness) lib outputs declarations;

  unsafeName = source: if lib.isDerivation source then source.name else toString source;

  # Text without the hashes of store paths, which change with every byte of a file.
  withoutHashes =
    text:
    lib.concatStrings (
      builtins.filter builtins.isString (
        builtins.split "${builtins.storeDir}/[a-z0-9]{32}-" (builtins.unsafeDiscardStringContext text)
      )
    );

  host =
    _:
    { config, ... }:
    builtins.seq config.system.build.toplevel.drvPath {
      inherit (config.networking) hostName domain;
      network = {
        inherit (config.systemd.network.networks."10-rk1")
          address
          gateway
          dns
          matchConfig
          networkConfig
          ;
      };
      hosts = config.networking.hosts;
      mounts = lib.mapAttrs (_: mount: {
        inherit (mount) device fsType options;
        depends = if builtins.isList mount.depends then mount.depends else [ ];
      }) config.fileSystems;
      k3s = {
        inherit (config.services.k3s)
          role
          serverAddr
          clusterInit
          tokenFile
          ;
        package = config.services.k3s.package.name;
        command = withoutHashes config.systemd.services.k3s.serviceConfig.ExecStart;
        unit = {
          inherit (config.systemd.services.k3s) after wants unitConfig;
        };
        kubelet = config.services.k3s.extraKubeletConfig;
        shutdown = config.services.k3s.gracefulNodeShutdown;
        # Names without the hashes of the store: those change with every byte.
        manifests = lib.mapAttrs (
          _: manifest: baseNameOf (unsafeName manifest.source)
        ) config.services.k3s.manifests;
        charts = lib.mapAttrs (_: chart: {
          inherit (chart) name url outputHash;
        }) config.services.k3s.charts;
        kept = {
          inherit
            (config.systemd.services.retire-manifests.environment or {
              MANIFESTS = null;
              CHARTS = null;
            }
            )
            MANIFESTS
            CHARTS
            ;
        };
      };
      # The Secrets that the node makes in the cluster, and what starts it.
      kubernetesSecrets = lib.mapAttrs (name: path: {
        watched = path.pathConfig.PathChanged;
        inherit (config.systemd.services.${name}) wantedBy after;
        inherit (config.systemd.services.${name}.environment)
          NAME
          NAMESPACE
          KEY
          FILE
          ;
      }) (lib.filterAttrs (name: _: lib.hasPrefix "kubernetes-secret-" name) config.systemd.paths);
      firewall = {
        rules = lib.splitString "\n" (lib.trim config.networking.firewall.extraCommands);
        inherit (config.networking.firewall)
          enable
          allowedTCPPorts
          allowedUDPPorts
          checkReversePath
          ;
      };
      inherit (config.boot) kernelParams kernelModules;
      sysctl = config.boot.kernel.sysctl;
      ssh = config.services.openssh.settings;
      root = {
        inherit (config.users.users.root) hashedPassword;
        keys = config.users.users.root.openssh.authorizedKeys.keys;
      };
      # Of the store path without its hash.
      loader = lib.concatStringsSep "-" (lib.tail (lib.splitString "-" config.rk1.board.loader));
      deviceTree = { inherit (config.hardware.deviceTree) name filter; };
      nix = {
        inherit (config.nix) daemonCPUSchedPolicy daemonIOSchedClass;
        gc = {
          inherit (config.nix.gc)
            automatic
            dates
            options
            randomizedDelaySec
            ;
        };
        flake = { inherit (config.nixpkgs.flake) setFlakeRegistry setNixPath; };
      };
      unattended = {
        inherit (config.systemd) enableEmergencyMode;
        watchdog = config.systemd.watchdog.runtimeTime;
        emergency = config.boot.initrd.systemd.services.emergency.serviceConfig;
        journal = config.services.journald.extraConfig;
      };
    };

  # The whole output tree, every derivation instantiated; a word for what is no data.
  tree =
    value:
    if lib.isDerivation value then
      builtins.seq value.drvPath value.name
    else if lib.isFunction value then
      "function"
    else if builtins.isPath value then
      "path"
    else if builtins.isAttrs value then
      lib.mapAttrs (_: tree) value
    else if builtins.isList value then
      map tree value
    else if builtins.isString value && lib.hasPrefix "${builtins.storeDir}/" value then
      # Without the hash, which changes with every byte of the sources.
      lib.substring 33 (-1) (
        lib.removePrefix "${builtins.storeDir}/" (builtins.unsafeDiscardStringContext value)
      )
    else
      value;
  # The options of ours, as the manual would have them.
  options =
    map
      (option: {
        inherit (option) name type;
        default = option.default.text or null;
        description = option.description.text or option.description or null;
        example = option.example.text or null;
        inherit (option) readOnly;
      })
      (
        builtins.filter (option: option.visible && !option.internal) (
          lib.optionAttrSetToDocList { inherit (outputs.nixosConfigurations.rk1-01.options) rk1; }
        )
      );
  # Every service that our modules run on a server with storage, Kubernetes Secrets and manifests, and on one with a Grafana.
  services =
    let
      # k3s itself is NixOS's, and runs containers.
      runs =
        name: service:
        name != "k3s"
        && (builtins.isString (service.script or null) || (service.serviceConfig or { }) ? ExecStart);
      of =
        { config, ... }:
        lib.mapAttrs (_: service: {
          text = unitText.service service;
          script = if builtins.isString service.script then service.script else null;
        }) (lib.filterAttrs runs config.systemd.services);
    in
    of outputs.nixosConfigurations.rk1-01 // of streamerHosts.rk1-03;
  # What systemd-networkd is told about the interface with the node's address.
  interface =
    { config, ... }:
    {
      netdevs = lib.mapAttrs (_: device: { inherit (device) netdevConfig vlanConfig; }) (
        lib.filterAttrs (name: _: lib.hasPrefix "10-rk1" name) config.systemd.network.netdevs
      );
      networks = lib.mapAttrs (_: network: {
        inherit (network)
          matchConfig
          linkConfig
          networkConfig
          dhcpV4Config
          address
          gateway
          dns
          domains
          vlan
          ;
        routes = if builtins.isList network.routes then network.routes else [ ];
      }) (lib.filterAttrs (name: _: lib.hasPrefix "10-rk1" name) config.systemd.network.networks);
    };
  streamerHosts = outputs.lib.mkCluster ./streamer-hosts.nix;
  unitText = import ./unit-text.nix { inherit lib; };
  # The streamer's units, those of the cluster's own Grafana, what takes the secrets for them, and the guard's.
  units =
    _:
    { config, ... }:
    let
      ours =
        kind:
        lib.filterAttrs (
          name: _:
          lib.hasInfix "streamer" name
          || lib.hasPrefix "grafana" name
          || builtins.elem name [
            "k3s-server-ca"
            "node-secrets"
            "rk1-guard"
          ]
        ) config.systemd.${kind};
      named =
        kind: suffix:
        lib.mapAttrs' (name: unit: lib.nameValuePair "${name}.${suffix}" (unitText.${suffix} unit)) (
          ours kind
        );
    in
    builtins.seq config.system.build.toplevel.drvPath (
      named "services" "service" // named "paths" "path"
    );
in
{
  inherit options;
  inherit (declarations) counts;
  hosts = lib.mapAttrs host outputs.nixosConfigurations;
  dualStackHosts = lib.mapAttrs host (outputs.lib.mkCluster ../../../examples/dual-stack/hosts);
  # The other clusters that people run.
  exampleHosts = lib.genAttrs [
    "mixed-modules"
    "own-authority"
    "single-node"
    "two-boards"
    "unifi"
  ] (name: lib.mapAttrs host (outputs.lib.mkCluster (../../../examples + "/${name}/hosts")));
  interfaces = lib.mapAttrs (_: interface) {
    vlan = (outputs.lib.mkCluster ../../../examples/unifi/hosts).attic-1;
    inherit
      (outputs.lib.mkCluster {
        hosts = ../../../examples/dual-stack/hosts;
        modules = [
          {
            rk1.network = {
              macAddress = "02:00:5e:10:00:01";
              mtu = 9000;
              dhcp = true;
              routes = [
                {
                  to = "10.8.0.0/16";
                  via = "172.16.10.254";
                }
              ];
            };
          }
        ];
      })
      rk1-01
      ;
  };
  # A host with further disks, one with an existing filesystem, and one without a disk.
  storage =
    let
      host =
        storage: name:
        (outputs.lib.mkCluster {
          hosts = ../../../hosts;
          modules = [ { rk1.storage = storage; } ];
        }).${name};
      report =
        { config, ... }:
        builtins.seq config.system.build.toplevel.drvPath {
          mounts = lib.mapAttrs (_: mount: {
            inherit (mount) device fsType options;
            autoResize = mount.autoResize or false;
          }) (removeAttrs config.fileSystems [ "/" ]);
          services =
            lib.mapAttrs
              (_: service: {
                command = withoutHashes (
                  service.serviceConfig.ExecStart or service.environment.DIRECTORIES or "none"
                );
                wantedBy = service.wantedBy or [ ];
                condition = service.unitConfig.ConditionPathIsMountPoint or null;
              })
              (
                lib.filterAttrs (
                  name: _: builtins.match "rk1-(storage|disk|directories|late).*" name != null
                ) config.systemd.services
              );
          inherit (config.systemd.services.k3s.unitConfig) RequiresMountsFor;
          # Of the definitions of partitions.
          names = map (disk: disk.name) config.rk1.storage.all;
        };
    in
    {
      further = report (
        host {
          keyFile = "/var/lib/rk1/secrets/disk";
          disks = {
            archive = {
              device = "/dev/disk/by-id/ata-CT500MX500SSD1_2117E59A0B2C";
              mountPoint = "/srv/archive";
              binds = {
                "/var/lib/longhorn" = "longhorn";
                "/var/lib/rancher" = "rancher";
              };
            };
            photos.device = "UUID=3f2b8c1e-6d54-4a0f-9b7c-1e2d3c4b5a69";
          };
        } "rk1-01"
      );
      existing = report (host { device = "UUID=3f2b8c1e-6d54-4a0f-9b7c-1e2d3c4b5a69"; } "rk1-04");
      none = report (host { device = null; } "rk1-04");
    };
  units = lib.mapAttrs units streamerHosts;
  inherit services;
  scripts = lib.mapAttrs (_: import ./scripts.nix { inherit lib; }) (
    outputs.nixosConfigurations
    // lib.mapAttrs' (name: lib.nameValuePair "${name} in streamer-hosts.nix") streamerHosts
  );
  outputs = tree (removeAttrs outputs [ "nixosConfigurations" ]);
}
