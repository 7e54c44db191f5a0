# Offsets and sizes on the eMMC, in bytes.
let
  mebibyte = 1024 * 1024;
in
rec {
  sectorSize = 512;

  # The boot ROM reads the boot loader from sector 64. u-boot-rockchip.bin contains the SPL and, at 8 MiB of the disk,
  # U-Boot itself. It ends near 9 MiB.
  loaderOffset = 64 * sectorSize;

  # Every offset below is a multiple of this, so that images are written in large blocks.
  blockSize = loaderOffset;

  # The partitions start after the boot loader.
  seedOffset = 16 * mebibyte;
  seedSize = 16 * mebibyte;
  rootOffset = seedOffset + seedSize;
  loaderLimit = seedOffset - loaderOffset;

  # The partitions' numbers in the partition table.
  seedPartition = 1;
  rootPartition = 2;

  # At most 11 characters, the limit of a FAT label.
  seedLabel = "RK1-SEED";
}
