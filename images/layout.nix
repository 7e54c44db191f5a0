# Where things lie on the eMMC, in bytes.
let
  mebibyte = 1024 * 1024;
in
rec {
  sectorSize = 512;

  # The boot ROM looks for a loader in sector 64. u-boot-rockchip.bin holds the SPL and, 8 MiB into the disk, U-Boot
  # itself; it ends near 9 MiB.
  loaderOffset = 64 * sectorSize;

  # Every place below is a multiple of this, so that images are written in large blocks.
  blockSize = loaderOffset;

  # The partitions start behind the loader.
  seedOffset = 16 * mebibyte;
  seedSize = 16 * mebibyte;
  rootOffset = seedOffset + seedSize;
  loaderLimit = seedOffset - loaderOffset;

  # The partition's number in the table.
  seedPartition = 1;

  # FAT labels have up to 11 characters.
  seedLabel = "RK1-SEED";
}
