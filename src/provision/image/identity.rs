//! The names of a host's filesystems, which `images/identity.nix` tells Nix. They differ for each host, so that one
//! host's disk is never taken for another's.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::config::cluster::Label;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The UUID of the root filesystem (RFC 9562, version 8: made from a digest).
    pub root_uuid: String,
    pub root_label: String,
    /// The signature of the MBR.
    pub disk_id: u32,
    /// The volume id of the seed's FAT.
    pub seed_id: u32,
}

impl Identity {
    /// Derives the names from those of the cluster and the host.
    #[must_use]
    pub fn of(cluster: &Label, host: &Label) -> Self {
        let digest: [u8; 32] = Sha256::digest(format!("{cluster}/{host}")).into();
        let hex = HEXLOWER.encode(&digest);
        let word = |at: usize| {
            digest.iter().skip(at).take(4).fold(0, |word: u32, byte| word << 8 | u32::from(*byte))
        };
        Self {
            root_uuid: format!(
                "{}-{}-8{}-8{}-{}",
                &hex[..8],
                &hex[8..12],
                &hex[13..16],
                &hex[17..20],
                &hex[20..32]
            ),
            root_label: format!("rk1-root-{}", &hex[..6]),
            disk_id: word(16),
            seed_id: word(20),
        }
    }
}
