//! A seed as the FAT partition that the first boot of the node reads (`modules/node-secrets.sh`).

use std::fmt;
use std::io::{self, Cursor, Write};

use fatfs::{FatType, FileSystem, FormatVolumeOptions, FsOptions, format_volume};
use thiserror::Error;

use super::contents::Seed;
use crate::common::secret_bytes::SecretBytes;
use crate::config::cluster::SecretPlace;
use crate::provision::image::fat::OWNER_FILE;
use crate::provision::image::layout::{SECTOR_SIZE, SEED_LABEL, SEED_OFFSET, SEED_SIZE};
use crate::provision::image::{Identity, SeedOwner};

// All files lie in the root directory: `fsck.vfat` complains about other directories that `fatfs` makes.

/// The prefix of the file name of a secret.
const SECRET: &str = "secret.";
/// The file name of sshd's own key, as sshd gives it.
const SSH_HOST_KEY: &str = "ssh_host_ed25519_key";

#[derive(Debug, Error)]
pub enum PartitionError {
    #[error("the secrets do not fit into the seed partition of {SEED_SIZE} bytes: {0}")]
    DoesNotFit(#[source] io::Error),
}

/// The bytes of a seed partition, [`SEED_SIZE`] of them. They are zeroed on drop.
pub struct SeedPartition(SecretBytes);

impl SeedPartition {
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SeedPartition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SeedPartition(…)")
    }
}

/// Makes the partition of a seed, with the names that the host's image has. The same seed makes the same bytes.
pub fn partition(seed: &Seed, identity: &Identity) -> Result<SeedPartition, PartitionError> {
    let length = usize::try_from(SEED_SIZE).unwrap_or_default();
    let mut bytes = SecretBytes::zeroed(length).map_err(PartitionError::DoesNotFit)?;
    fill(seed, identity, &mut bytes).map_err(PartitionError::DoesNotFit)?;
    Ok(SeedPartition(bytes))
}

fn fill(seed: &Seed, identity: &Identity, bytes: &mut [u8]) -> io::Result<()> {
    let mut label = [b' '; 11];
    label.iter_mut().zip(SEED_LABEL.bytes()).for_each(|(target, byte)| *target = byte);
    let options = FormatVolumeOptions::new()
        .fat_type(FatType::Fat16)
        .bytes_per_sector(512)
        .volume_id(identity.seed_id)
        .volume_label(label);
    format_volume(Cursor::new(&mut *bytes), options)?;
    {
        let volume = FileSystem::new(Cursor::new(&mut *bytes), FsOptions::new())?;
        let root = volume.root_dir();
        for file in &seed.files {
            let name = match file.place {
                SecretPlace::Secrets => format!("{SECRET}{}", file.name.as_str()),
                SecretPlace::SshHostKey => SSH_HOST_KEY.to_owned(),
            };
            let mut target = root.create_file(&name)?;
            target.write_all(&file.bytes)?;
            target.flush()?;
        }
        // The owner comes last: a seed that names its owner is complete.
        let mut owner = root.create_file(OWNER_FILE)?;
        owner.write_all(SeedOwner::text(&seed.cluster, &seed.host).as_bytes())?;
        owner.flush()?;
    }
    set_hidden_sectors(bytes);
    Ok(())
}

/// Writes the number of sectors before the partition to its boot sector, as `mkfs.vfat` does (`BPB_HiddSec`).
fn set_hidden_sectors(bytes: &mut [u8]) {
    let sectors = u32::try_from(SEED_OFFSET / SECTOR_SIZE).unwrap_or_default();
    if let Some(field) = bytes.get_mut(28..32) {
        field.copy_from_slice(&sectors.to_le_bytes());
    }
}
