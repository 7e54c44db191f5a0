//! The layout of an image, in bytes, which `images/layout.nix` tells Nix.

use crate::config::modules::ROCKCHIP;

const MEBIBYTE: u64 = 1024 * 1024;

pub const SECTOR_SIZE: u64 = 512;

pub const LOADER_OFFSET: u64 = ROCKCHIP.offset;

/// Every offset below is a multiple of this.
pub const BLOCK_SIZE: u64 = LOADER_OFFSET;

/// The FAT partition of the seed, which follows the loader.
pub const SEED_OFFSET: u64 = 16 * MEBIBYTE;
pub const SEED_SIZE: u64 = 16 * MEBIBYTE;
/// The number of the seed partition in the partition table.
pub const SEED_PARTITION: u32 = 1;
/// The number of the root partition in the partition table.
pub const ROOT_PARTITION: u32 = 2;
pub const SEED_LABEL: &str = "RK1-SEED";
/// The type of the seed partition in an MBR: FAT16 with logical block addresses.
pub const SEED_TYPE: u8 = 0x0e;

pub const ROOT_OFFSET: u64 = SEED_OFFSET + SEED_SIZE;
/// The largest loader.
pub const LOADER_LIMIT: u64 = SEED_OFFSET - LOADER_OFFSET;
