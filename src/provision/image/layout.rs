//! Where things lie on the eMMC, in bytes: what `images/layout.nix` says to Nix.

const MEBIBYTE: u64 = 1024 * 1024;

pub const SECTOR_SIZE: u64 = 512;

/// The boot ROM looks for a loader in sector 64.
pub const LOADER_OFFSET: u64 = 64 * SECTOR_SIZE;
/// How a loader of the RK3588 begins (Rockchip's new image header, U-Boot's `tools/rkcommon.c`).
pub const LOADER_MAGIC: [u8; 4] = *b"RKNS";

/// Every place is a multiple of this.
pub const BLOCK_SIZE: u64 = LOADER_OFFSET;

/// The seed's FAT partition, the first behind the loader.
pub const SEED_OFFSET: u64 = 16 * MEBIBYTE;
pub const SEED_SIZE: u64 = 16 * MEBIBYTE;
/// Its number in the partition table.
pub const SEED_PARTITION: u32 = 1;
pub const SEED_LABEL: &str = "RK1-SEED";
/// Its type in an MBR: FAT16, by logical block addresses.
pub const SEED_TYPE: u8 = 0x0e;

pub const ROOT_OFFSET: u64 = SEED_OFFSET + SEED_SIZE;
/// The most that a loader may have.
pub const LOADER_LIMIT: u64 = SEED_OFFSET - LOADER_OFFSET;
