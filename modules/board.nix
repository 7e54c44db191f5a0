# The Turing RK1 module itself: kernel, device tree, loader, console.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.rk1.board;

  # U-Boot carries Rockchip's memory initialisation (rkbin), the only unfree bytes of a node.
  unfree = [
    "rkbin"
    "ubootTuringRK1"
    "uboot-turing-rk1-rk3588_defconfig"
  ];
in
{
  options.rk1.board = {
    enable = lib.mkOption {
      type = lib.types.bool;
      default = true;
      example = false;
      description = ''
        Whether the host is a Turing RK1. Turned off where its modules run elsewhere, such as in a virtual machine.
      '';
    };

    kernelPackages = lib.mkOption {
      type = lib.types.raw;
      default = pkgs.linuxPackages_6_18;
      defaultText = lib.literalExpression "pkgs.linuxPackages_6_18";
      example = lib.literalExpression "pkgs.linuxPackages_latest";
      description = ''
        Kernel of the node. Mainline knows the board; the default is the long-term kernel of this NixOS release.
      '';
    };

    deviceTree = lib.mkOption {
      type = lib.types.str;
      default = "rockchip/rk3588-turing-rk1.dtb";
      example = "rockchip/rk3588-turing-rk1.dtb";
      description = "Device tree that the loader hands to the kernel, relative to the kernel's `dtbs`.";
    };

    consoles = lib.mkOption {
      type = lib.types.listOf (lib.types.strMatching "tty[A-Z]+[0-9]+(,[0-9]+[noe]?[78]?)?");
      default = [ ];
      example = [ "ttyS9,115200n8" ];
      description = ''
        Kernel consoles. None is right for most: the device tree's `stdout-path` names the UART that the board
        controller reads, whatever number the kernel gives it.
      '';
    };
  };

  config = lib.mkIf cfg.enable {
    nixpkgs.hostPlatform = lib.mkDefault "aarch64-linux";
    nixpkgs.config.allowUnfreePredicate = package: builtins.elem (lib.getName package) unfree;

    boot = {
      kernelPackages = lib.mkDefault cfg.kernelPackages;
      # Only added to: a forced list would drop `init=` and with it the system.
      kernelParams = map (console: "console=${console}") cfg.consoles;
      # The root lies on the eMMC; both are built in with the default kernel, modules with others.
      initrd.availableKernelModules = [
        "mmc_block"
        "sdhci_of_dwcmshc"
      ];
      loader = {
        grub.enable = false;
        generic-extlinux-compatible = {
          enable = true;
          configurationLimit = lib.mkDefault 10;
        };
      };
    };

    hardware.deviceTree = {
      enable = true;
      name = cfg.deviceTree;
    };
  };
}
