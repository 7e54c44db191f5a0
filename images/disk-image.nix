# The image of one host, as `tpi flash` and the board controller take it: .img.xz.
{
  config,
  lib,
  pkgs,
  modulesPath,
  layout,
  identity,
}:
let
  name = config.networking.hostName;
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

  # MBR: U-Boot of this board reads it, and its table leaves sector 64 to the loader.
  partitions = pkgs.writeText "${name}.sfdisk" ''
    label: dos
    label-id: 0x${identity.diskId}
    start=${toString (layout.seedOffset / layout.sectorSize)}, size=${
      toString (layout.seedSize / layout.sectorSize)
    }, type=e
    start=${toString (layout.rootOffset / layout.sectorSize)}, type=83, bootable
  '';
in
pkgs.runCommand "${name}.img.xz"
  {
    nativeBuildInputs = [
      pkgs.dosfstools
      pkgs.util-linux
      pkgs.xz
    ];
    passthru = { inherit root; };
  }
  ''
    loader=${pkgs.ubootTuringRK1}/u-boot-rockchip.bin
    if (( $(stat --dereference --format %s "$loader") > ${toString layout.loaderLimit} )); then
      echo "the loader does not fit before the first partition: raise seedOffset in images/layout.nix" >&2
      exit 1
    fi

    image=${name}.img
    truncate --size $(( ${toString layout.rootOffset} + $(stat --dereference --format %s ${root}) )) "$image"
    sfdisk --quiet --no-reread --no-tell-kernel "$image" < ${partitions}

    truncate --size ${toString layout.seedSize} seed.img
    mkfs.vfat --invariant -n ${layout.seedLabel} -i ${identity.seedId} seed.img

    write() {
      dd if="$1" of="$image" bs=${toString layout.blockSize} seek="$(( $2 / ${toString layout.blockSize} ))" \
        conv=notrunc,sparse status=none
    }
    write "$loader" ${toString layout.blockSize}
    write seed.img ${toString layout.seedOffset}
    write ${root} ${toString layout.rootOffset}

    # The board controller decompresses .xz with a memory limit: stay at the default dictionary.
    mkdir "$out"
    xz --threads="$NIX_BUILD_CORES" -6 --stdout "$image" > "$out/$image.xz"
  ''
