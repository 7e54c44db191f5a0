# What the tests compare, as data.
{ data }:
let
  harness = import ./harness.nix { inherit data; };
  inherit (harness) lib outputs declarations;

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
        command = config.systemd.services.k3s.serviceConfig.ExecStart;
        unit = {
          inherit (config.systemd.services.k3s) after wants unitConfig;
        };
      };
      firewall = {
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
      unfree = {
        rkbin = config.nixpkgs.config.allowUnfreePredicate { pname = "rkbin"; };
        loader = config.nixpkgs.config.allowUnfreePredicate { pname = "uboot-turing-rk1-rk3588_defconfig"; };
        other = config.nixpkgs.config.allowUnfreePredicate { pname = "steam"; };
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
in
{
  inherit options;
  inherit (declarations) counts;
  hosts = lib.mapAttrs host outputs.nixosConfigurations;
  outputs = tree (removeAttrs outputs [ "nixosConfigurations" ]);
}
