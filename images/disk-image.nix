# The image of one host in the format that `tpi flash` and the BMC accept: .img.xz.
{
  config,
  pkgs,
  modulesPath,
  layout,
  identity,
}:
let
  inherit (config.system.build) toplevel;

  root = pkgs.callPackage "${modulesPath}/../lib/make-ext4-fs.nix" {
    storePaths = [ toplevel ];
    volumeLabel = identity.rootLabel;
    uuid = identity.rootUuid;
    populateImageCommands = ''
      mkdir -p ./files/boot
      ${config.boot.loader.generic-extlinux-compatible.populateCmd} -c ${toplevel} -d ./files/boot
    '';
  };
in
pkgs.runCommand "${config.networking.hostName}.img.xz" {
  nativeBuildInputs = [
    pkgs.dosfstools
    pkgs.util-linux
    pkgs.xz
  ];

  IMAGE_NAME = config.networking.hostName;
  LOADER = config.rk1.board.loader;
  ROOT = root;

  DISK_ID = identity.diskId;
  SEED_ID = identity.seedId;
  SEED_LABEL = layout.seedLabel;

  SECTOR_SIZE = layout.sectorSize;
  BLOCK_SIZE = layout.blockSize;
  LOADER_OFFSET = layout.loaderOffset;
  LOADER_LIMIT = layout.loaderLimit;
  SEED_OFFSET = layout.seedOffset;
  SEED_SIZE = layout.seedSize;
  ROOT_OFFSET = layout.rootOffset;
} (builtins.readFile ./assemble.sh)
