//! The layout of the eMMC, in bytes, which `images/layout.nix` tells Nix.

const MEBIBYTE: u64 = 1024 * 1024;

/// The size of an RK1's eMMC, as it is sold. The usable size is somewhat smaller.
pub const EMMC_SIZE: u64 = 32_000_000_000;

pub const SECTOR_SIZE: u64 = 512;

/// The boot ROM looks for a loader in sector 64.
pub const LOADER_OFFSET: u64 = 64 * SECTOR_SIZE;
/// The first bytes of a loader for the RK3588 (Rockchip's new image header; U-Boot: `tools/rkcommon.c`).
pub const LOADER_MAGIC: [u8; 4] = *b"RKNS";

/// Every offset below is a multiple of this.
pub const BLOCK_SIZE: u64 = LOADER_OFFSET;

/// The FAT partition of the seed, which follows the loader.
pub const SEED_OFFSET: u64 = 16 * MEBIBYTE;
pub const SEED_SIZE: u64 = 16 * MEBIBYTE;
/// The number of the seed partition in the partition table.
pub const SEED_PARTITION: u32 = 1;
pub const SEED_LABEL: &str = "RK1-SEED";
/// The type of the seed partition in an MBR: FAT16 with logical block addresses.
pub const SEED_TYPE: u8 = 0x0e;

pub const ROOT_OFFSET: u64 = SEED_OFFSET + SEED_SIZE;
/// The largest loader.
pub const LOADER_LIMIT: u64 = SEED_OFFSET - LOADER_OFFSET;
