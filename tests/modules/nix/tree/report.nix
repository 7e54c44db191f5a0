# Values of the hosts, evaluated over the real module tree, that the tests compare.
let
  inherit (import ./tree.nix) lib outputs;
  inherit (outputs.lib) mkCluster;

  failed =
    config: map (entry: entry.message) (lib.filter (entry: !entry.assertion) config.assertions);

  host =
    { config, ... }:
    {
      failedAssertions = failed config;
      assertions = lib.length config.assertions;
      inherit (config) warnings;
      toplevel = config.system.build.toplevel.drvPath;
      image = config.system.build.rk1Image.drvPath;
      stateVersion = config.system.stateVersion;
      loopbackNames = config.networking.hosts."127.0.0.2";
      # Programs that NixOS installs by default.
      installed = lib.unique (map lib.getName config.environment.systemPackages);
      registry = config.nix.registry;
      nixPath = config.nix.nixPath;
      boot = boot config;
    };

  boot = import ./boot.nix { inherit lib; };

  # A host of the example with one more module.
  withModule =
    name: module: (outputs.nixosConfigurations.${name}.extendModules { modules = [ module ]; }).config;
  evaluates =
    name: module:
    let
      config = withModule name module;
    in
    {
      failedAssertions = failed config;
      toplevel = config.system.build.toplevel.drvPath;
    };
in
{
  hosts = lib.mapAttrs (_: host) outputs.nixosConfigurations;
  dualStack = lib.mapAttrs (_: host) (mkCluster {
    hosts = ../../../../examples/dual-stack/hosts;
  });

  # What users add to a host, each of which once failed.
  variants = {
    chrony =
      let
        config = withModule "rk1-01" { services.chrony.enable = true; };
      in
      {
        failedAssertions = failed config;
        toplevel = config.system.build.toplevel.drvPath;
        waits = config.systemd.services ? clock-synchronized;
        inherit (config.systemd.services.k3s) after;
      };
    ntpdRs = evaluates "rk1-01" { services.ntpd-rs.enable = true; };
    sysusers = evaluates "rk1-01" {
      systemd.sysusers.enable = true;
      system.etc.overlay = {
        enable = true;
        mutable = false;
      };
    };
    # What nixpkgs.config permits is the user's choice alone.
    setsNixpkgsConfig = outputs.nixosConfigurations.rk1-01.options.nixpkgs.config.highestPrio < 1500;
    grafana = evaluates "rk1-01" (
      { lib, ... }:
      {
        rk1.grafana.node = "rk1-01";
        rk1.streamer.url = lib.mkForce "http://172.16.10.221:3000";
      }
    );
    # A module of a user for every host, and an argument for all modules.
    cluster =
      let
        hosts = mkCluster {
          hosts = ../../../../hosts;
          modules = [ ({ greeting, ... }: { environment.etc."greeting".text = greeting; }) ];
          specialArgs.greeting = "hello";
        };
      in
      lib.mapAttrs (_: host: host.config.environment.etc.greeting.text) hosts;
  };

  # Another module with a further disk, a host with an existing filesystem, and one without a data disk.
  mixed =
    lib.genAttrs
      [
        "den-2"
        "den-3"
        "den-nas"
      ]
      (
        name:
        let
          inherit ((mkCluster { hosts = ../../../../examples/mixed-modules/hosts; }).${name}) config;
        in
        {
          failedAssertions = failed config;
          toplevel = config.system.build.toplevel.drvPath;
          image = config.system.build.rk1Image.drvPath;
        }
      );

  # Hosts as virtual machines, and the streamer on a machine that is not a node.
  machines = {
    aarch64 = outputs.packages.aarch64-linux.vm-rk1-01.drvPath;
    x86_64 = outputs.packages.x86_64-linux.vm-rk1-04.drvPath;
    streamerAlone =
      let
        config =
          (import <nixpkgs/nixos/lib/eval-config.nix> {
            inherit lib;
            system = null;
            modules = [
              outputs.nixosModules.xdp-streamer
              {
                nixpkgs.hostPlatform = "x86_64-linux";
                nixpkgs.overlays = [ (import ./stand-ins.nix { inherit lib; }) ];
                networking.hostName = "laptop";
                system.stateVersion = "26.05";
                documentation.enable = false;
                boot.loader.grub.enable = false;
                fileSystems."/".device = "/dev/vda";
                rk1.streamer = {
                  enable = true;
                  interfaces = [ "eth0" ];
                  url = "http://192.168.1.2:3000";
                  tokenFile = "/run/secrets/grafana";
                };
              }
            ];
          }).config;
      in
      {
        failedAssertions = failed config;
        toplevel = config.system.build.toplevel.drvPath;
        units = lib.filter (lib.hasInfix "streamer") (lib.attrNames config.systemd.services);
      };
  };
}
