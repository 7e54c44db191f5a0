//! The nodes to flash, their boards and their images.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::find::{FindError, find_image};
use super::payload::Payload;
use crate::config::cluster::{Board, Cluster, Label, NoSuchNode, Node};
use crate::config::diagnostics::Mistake;
use crate::config::modules::{Hardware, Module};
use crate::provision::bmc::{Slot, StartRequest};

/// A node and its image.
#[derive(Debug)]
pub struct HostImage<'a> {
    pub(super) node: &'a Node,
    pub(super) hardware: &'static Hardware,
    pub(super) image: PathBuf,
}

/// A node, its image, and the slot of a board whose BMC writes it.
#[derive(Debug)]
pub struct Target<'a> {
    pub(super) host: HostImage<'a>,
    pub(super) board: &'a Board,
    slot: Slot,
}

#[derive(Debug, Error)]
pub enum TargetError {
    #[error("{name}: {source}")]
    Image { name: Label, source: FindError },
    #[error("`{name}` is named twice")]
    Repeated { name: String },
    #[error(transparent)]
    Unknown(NoSuchNode),
    #[error("node `{name}` is in no board, so that no BMC can write to it")]
    NoBoard { name: Label },
    #[error("node `{name}` is of the kind `{}`, for which rk1 builds no image", module.word)]
    NoImage { name: Label, module: &'static Module },
    #[error("node `{name}` is of the kind `{}`, which the BMC cannot write to", module.word)]
    UnknownToBmc { name: Label, module: &'static Module },
}

impl TargetError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Image { source, .. } => source.hint(),
            Self::Repeated { .. } => Some("name each node once".to_owned()),
            Self::Unknown(unknown) => Some(unknown.hint()),
            Self::NoImage { name, .. } => {
                Some(format!("install it by its own means, then run `rk1 join {name}`"))
            }
            Self::NoBoard { name } | Self::UnknownToBmc { name, .. } => Some(format!(
                "run `rk1 flash {name} --output {name}.img`, which adds the secrets, and write that file to the eMMC: \
                 docs/nodes.md"
            )),
        }
    }

    /// Returns whether the command line is wrong.
    #[must_use]
    pub fn is_usage_error(&self) -> bool {
        matches!(self, Self::Repeated { .. } | Self::Unknown(_))
    }
}

impl HostImage<'_> {
    #[must_use]
    pub fn name(&self) -> &Label {
        &self.node.name
    }

    /// The address of the node.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        IpAddr::from(self.node.address.v4().addr())
    }

    #[must_use]
    pub fn image(&self) -> &Path {
        &self.image
    }
}

impl Target<'_> {
    #[must_use]
    pub fn name(&self) -> &Label {
        self.host.name()
    }

    #[must_use]
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// The address of the node.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.host.address()
    }

    #[must_use]
    pub fn board(&self) -> &Board {
        self.board
    }

    /// The address of the board's BMC.
    #[must_use]
    pub fn bmc(&self) -> IpAddr {
        IpAddr::from(self.board.bmc.value)
    }

    #[must_use]
    pub fn image(&self) -> &Path {
        self.host.image()
    }

    /// The BMC goes by the name alone: `.img` says that the bytes are raw.
    pub(super) fn start_request(&self, payload: &Payload) -> StartRequest {
        StartRequest {
            slot: self.slot(),
            file: format!("{}.img", self.name()),
            length: payload.length,
            sha256: payload.sha256.clone(),
        }
    }
}

/// Returns the named nodes with their images: `image` if it is given, else the ones that `nix build` left in `folder`.
pub fn targets<'a>(
    cluster: &'a Cluster,
    folder: &Path,
    names: &[String],
    image: Option<&Path>,
) -> Result<Vec<Target<'a>>, TargetError> {
    let mut targets: Vec<Target<'a>> = Vec::new();
    for name in names {
        let node = cluster.node(name).map_err(TargetError::Unknown)?;
        if targets.iter().any(|target| target.name() == &node.name) {
            return Err(TargetError::Repeated { name: name.clone() });
        }
        let (board, slot) = slot(cluster, node)?;
        targets.push(Target { host: host_image(cluster, folder, name, image)?, board, slot });
    }
    Ok(targets)
}

/// Returns a node with its image, as [`targets`] does. The node may be in no board.
pub fn host_image<'a>(
    cluster: &'a Cluster,
    folder: &Path,
    name: &str,
    image: Option<&Path>,
) -> Result<HostImage<'a>, TargetError> {
    let node = cluster.node(name).map_err(TargetError::Unknown)?;
    let (name, module) = (node.name.clone(), node.module);
    let hardware = module.hardware.ok_or(TargetError::NoImage { name, module })?;
    let image = match image {
        Some(image) => image.to_owned(),
        None => find_image(folder, &node.name)
            .map_err(|source| TargetError::Image { name: node.name.clone(), source })?,
    };
    Ok(HostImage { node, hardware, image })
}

/// Returns the slot of a node, if the BMC of its board can write to it.
pub fn slot<'a>(cluster: &'a Cluster, node: &Node) -> Result<(&'a Board, Slot), TargetError> {
    let (name, module) = (node.name.clone(), node.module);
    if module.hardware.is_none() {
        return Err(TargetError::NoImage { name, module });
    }
    let place = node.place.as_ref();
    let board = place.and_then(|place| cluster.boards.iter().find(|board| board.name == place.board));
    match place.zip(board) {
        None => Err(TargetError::NoBoard { name }),
        Some(_) if !module.is_known_to_bmc => Err(TargetError::UnknownToBmc { name, module }),
        Some((place, board)) => Ok((board, Slot::of(place))),
    }
}
