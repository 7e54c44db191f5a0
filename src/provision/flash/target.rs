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

/// A node, its board and its image.
#[derive(Debug)]
pub struct Target<'a> {
    pub(super) node: &'a Node,
    pub(super) board: &'a Board,
    pub(super) hardware: &'static Hardware,
    pub(super) image: PathBuf,
}

#[derive(Debug, Error)]
pub enum TargetError {
    #[error("{name}: {source}")]
    Image { name: Label, source: FindError },
    #[error("`{name}` is named twice")]
    Repeated { name: String },
    #[error(transparent)]
    Unknown(NoSuchNode),
    #[error("node `{name}` has no board")]
    NoBoard { name: Label },
    #[error("node `{name}` is of the kind {}, for which rk1 builds no image", module.name)]
    NoImage { name: Label, module: &'static Module },
    #[error("node `{name}` is of the kind {}, which the BMC cannot write to", module.name)]
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
            Self::NoBoard { .. } => None,
            Self::NoImage { .. } => Some("install it by its own means".to_owned()),
            Self::UnknownToBmc { name, .. } => {
                Some(format!("write `result/{name}.img.xz` to its boot disk by its own means"))
            }
        }
    }

    /// Returns whether the command line is wrong.
    #[must_use]
    pub fn is_usage_error(&self) -> bool {
        matches!(self, Self::Repeated { .. } | Self::Unknown(_))
    }
}

impl Target<'_> {
    #[must_use]
    pub fn name(&self) -> &Label {
        &self.node.name
    }

    #[must_use]
    pub fn slot(&self) -> Slot {
        Slot::of(self.node)
    }

    /// The address of the node.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        IpAddr::from(self.node.address.v4().addr())
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
        &self.image
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
        let (node, board) = find(cluster, name)?;
        if targets.iter().any(|target| target.name() == &node.name) {
            return Err(TargetError::Repeated { name: name.clone() });
        }
        let hardware = hardware(node)?;
        let image = match image {
            Some(image) => image.to_owned(),
            None => find_image(folder, &node.name)
                .map_err(|source| TargetError::Image { name: node.name.clone(), source })?,
        };
        targets.push(Target { node, board, hardware, image });
    }
    Ok(targets)
}

fn find<'a>(cluster: &'a Cluster, name: &str) -> Result<(&'a Node, &'a Board), TargetError> {
    let node = cluster.node(name).map_err(TargetError::Unknown)?;
    let board = cluster.boards.iter().find(|board| board.name == node.board);
    Ok((node, board.ok_or_else(|| TargetError::NoBoard { name: node.name.clone() })?))
}

/// Returns what the node's image has to fit, if the BMC can write one to the module.
fn hardware(node: &Node) -> Result<&'static Hardware, TargetError> {
    let (name, module) = (node.name.clone(), node.module);
    match module.hardware {
        None => Err(TargetError::NoImage { name, module }),
        Some(_) if !module.is_known_to_bmc => Err(TargetError::UnknownToBmc { name, module }),
        Some(hardware) => Ok(hardware),
    }
}
