# What NixOS installs by default and a headless node does not need. Each line can be set back in a host of your own.
{ lib, ... }:
{
  boot = {
    bcache.enable = lib.mkDefault false;
    enableContainers = lib.mkDefault false;
  };
  documentation = {
    enable = lib.mkDefault false;
    man.enable = lib.mkDefault false;
  };
  environment.defaultPackages = lib.mkDefault [ ];
  fonts.fontconfig.enable = lib.mkDefault false;
  programs.command-not-found.enable = lib.mkDefault false;
  services.lvm.enable = lib.mkDefault false;
  system.tools = {
    nixos-enter.enable = lib.mkDefault false;
    nixos-generate-config.enable = lib.mkDefault false;
    nixos-install.enable = lib.mkDefault false;
  };
  xdg = {
    icons.enable = lib.mkDefault false;
    mime.enable = lib.mkDefault false;
    sounds.enable = lib.mkDefault false;
  };
}
