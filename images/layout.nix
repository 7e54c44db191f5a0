# Where things lie on the eMMC. The loader's place is the boot ROM's: sector 64 (Rockchip wiki, "Boot option").
let
  mebibyte = 1024 * 1024;
in
rec {
  inherit mebibyte;
  sectorSize = 512;

  # Every place below is a multiple of this, so that images are written in large blocks.
  blockSize = loaderSector * sectorSize;

  # u-boot-rockchip.bin holds the SPL and, 8 MiB into the disk, U-Boot itself; it ends near 9 MiB.
  loaderSector = 64;

  # The partitions start behind the loader.
  seedOffset = 16 * mebibyte;
  seedSize = 16 * mebibyte;
  rootOffset = seedOffset + seedSize;

  seedPartition = 1;
  rootPartition = 2;

  # FAT labels have 11 characters, ext4 labels 16.
  seedLabel = "RK1-SEED";

  # The loader may grow to this, in bytes.
  loaderLimit = seedOffset - blockSize;
}
