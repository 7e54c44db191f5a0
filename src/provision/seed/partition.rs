//! A seed as the FAT partition that the node's first boot reads (`modules/node-secrets.sh`).

use std::fmt;
use std::io::{self, Cursor, Write};

use fatfs::{FatType, FileSystem, FormatVolumeOptions, FsOptions, format_volume};
use thiserror::Error;

use super::Seed;
use crate::config::cluster::SecretPlace;
use crate::provision::image::Identity;
use crate::provision::image::SeedOwner;
use crate::provision::image::fat::OWNER_FILE;
use crate::provision::image::layout::{SECTOR_SIZE, SEED_LABEL, SEED_OFFSET, SEED_SIZE};
use crate::secret_bytes::SecretBytes;

// All lie in the root directory: what `fatfs` makes of others is not what `fsck.vfat` expects.
/// Stands before the name of a secret.
const SECRET: &str = "secret.";
/// sshd's own key has the name that sshd gives it.
const SSH_HOST_KEY: &str = "ssh_host_ed25519_key";

#[derive(Debug, Error)]
pub enum PartitionError {
    #[error("the secrets do not fit the seed's partition of {SEED_SIZE} bytes: {0}")]
    DoesNotFit(#[source] io::Error),
}

/// The bytes of a seed's partition, [`SEED_SIZE`] of them. They are zeroed when it is dropped.
pub struct Partition(SecretBytes);

impl Partition {
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Partition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Partition")
    }
}

/// The partition that holds a seed, called as the host's image calls it. The same seed makes the same bytes.
pub fn partition(seed: &Seed, identity: &Identity) -> Result<Partition, PartitionError> {
    let length = usize::try_from(SEED_SIZE).unwrap_or_default();
    let mut bytes = SecretBytes::zeroed(length).map_err(PartitionError::DoesNotFit)?;
    fill(seed, identity, &mut bytes).map_err(PartitionError::DoesNotFit)?;
    Ok(Partition(bytes))
}

fn fill(seed: &Seed, identity: &Identity, bytes: &mut [u8]) -> io::Result<()> {
    let mut label = [b' '; 11];
    label.iter_mut().zip(SEED_LABEL.bytes()).for_each(|(place, byte)| *place = byte);
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
        // Last: a seed that says for whom it is, is whole.
        let mut owner = root.create_file(OWNER_FILE)?;
        owner.write_all(SeedOwner::text(&seed.cluster, &seed.host).as_bytes())?;
        owner.flush()?;
    }
    hide(bytes);
    Ok(())
}

/// Sectors before the partition, in its boot sector, as `mkfs` notes them for partitions (`BPB_HiddSec`).
fn hide(bytes: &mut [u8]) {
    let sectors = u32::try_from(SEED_OFFSET / SECTOR_SIZE).unwrap_or_default();
    if let Some(field) = bytes.get_mut(28..32) {
        field.copy_from_slice(&sectors.to_le_bytes());
    }
}
