# The module itself, by default a Turing RK1: kernel, device tree, boot loader, console.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.rk1.board;

  # U-Boot contains Rockchip's memory initialization (rkbin), which is unfree. It is taken from a nixpkgs of its own, so
  # that a host needs no unfree package and `nixpkgs.config` stays the user's.
  isUnfreeLoader =
    package: lib.getName package == "rkbin" || lib.hasPrefix "uboot" (lib.getName package);
  withUnfreeLoader = import pkgs.path {
    localSystem = pkgs.stdenv.hostPlatform.system;
    config.allowUnfreePredicate = isUnfreeLoader;
    overlays = [ ];
  };
in
{
  imports = [
    (lib.mkRenamedOptionModule [ "rk1" "board" "kernelPackages" ] [ "boot" "kernelPackages" ])
  ];

  options.rk1.board = {
    enable = lib.mkOption {
      type = lib.types.bool;
      default = true;
      example = false;
      description = ''
        Whether the host is a module with a Rockchip RK3588. Set it to false to run the modules elsewhere, such as in a virtual machine.
      '';
    };

    uboot = lib.mkOption {
      type = lib.types.strMatching "uboot[A-Za-z0-9_]+";
      default = "ubootTuringRK1";
      example = "ubootCM3588NAS";
      description = "Package of nixpkgs with U-Boot for the module.";
    };

    loader = lib.mkOption {
      type = lib.types.path;
      default = "${withUnfreeLoader.${cfg.uboot}}/u-boot-rockchip.bin";
      defaultText = lib.literalExpression ''"''${pkgs.''${config.rk1.board.uboot}}/u-boot-rockchip.bin"'';
      example = lib.literalExpression "./u-boot-rockchip.bin";
      description = ''
        Boot loader that the image starts with, in the form that the RK3588's boot ROM reads. A change reaches a node when
        the node is flashed again.
      '';
    };

    deviceTree = lib.mkOption {
      type = lib.types.str;
      default = "rockchip/rk3588-turing-rk1.dtb";
      example = "rockchip/rk3588-turing-rk1.dtb";
      description = "Device tree that the boot loader passes to the kernel, relative to the kernel's `dtbs`.";
    };

    consoles = lib.mkOption {
      type = lib.types.listOf (lib.types.strMatching "tty[A-Z]+[0-9]+(,[0-9]+[noe]?[78]?)?");
      default = [ ];
      example = [ "ttyS9,115200n8" ];
      description = ''
        Kernel consoles. Most nodes need none: the device tree's `stdout-path` names the UART that the board's BMC reads,
        whatever number the kernel gives to it.
      '';
    };
  };

  config = lib.mkIf cfg.enable {
    nixpkgs.hostPlatform = lib.mkDefault "aarch64-linux";

    boot = {
      # The long-term kernel of this NixOS release. Mainline supports the board.
      kernelPackages = lib.mkDefault pkgs.linuxPackages_6_18;
      # Only ever added to: a forced list would drop `init=`, and the node would not boot.
      kernelParams = map (console: "console=${console}") cfg.consoles;
      # Drivers of the eMMC, which holds the root filesystem. The default kernel has them built in; others may not.
      initrd.availableKernelModules = [
        "mmc_block"
        "sdhci_of_dwcmshc"
      ];
      loader = {
        grub.enable = lib.mkDefault false;
        generic-extlinux-compatible = {
          enable = lib.mkDefault true;
          configurationLimit = lib.mkDefault 10;
        };
      };
    };

    hardware.deviceTree = {
      enable = lib.mkDefault true;
      name = lib.mkDefault cfg.deviceTree;
      # The kernel builds about a thousand device trees, and the boot loader's directory holds a copy for each kernel.
      filter = lib.mkDefault "*${baseNameOf cfg.deviceTree}";
    };
  };
}
