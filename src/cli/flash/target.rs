//! Which nodes are flashed, where they are, and with what.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::Flash;
use super::stop::Stop;
use crate::config::cluster::{Board, Cluster, Label, Node};
use crate::provision::bmc::{Slot, StartRequest};
use crate::provision::flash::{Payload, find_image};

/// A node, its board, and its image.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub(super) node: &'a Node,
    pub(super) board: &'a Board,
    pub(super) image: PathBuf,
}

impl Target<'_> {
    pub(super) fn name(&self) -> &Label {
        &self.node.name
    }

    pub(super) fn slot(&self) -> Slot {
        Slot::of(self.node)
    }

    pub(super) fn address(&self) -> IpAddr {
        IpAddr::from(self.node.address.v4().addr())
    }

    pub(super) fn bmc(&self) -> IpAddr {
        IpAddr::from(self.board.bmc.value)
    }

    /// The name says that the bytes are raw: the BMC goes by it alone.
    pub(super) fn start_request(&self, payload: &Payload) -> StartRequest {
        StartRequest {
            slot: self.slot(),
            file: format!("{}.img", self.name()),
            length: payload.length,
            sha256: payload.sha256.clone(),
        }
    }
}

/// The nodes that were named, each once, with their images.
pub(super) fn targets<'a>(
    flash: &Flash,
    cluster: &'a Cluster,
    folder: &Path,
) -> Result<Vec<Target<'a>>, Stop> {
    for (option, is_given) in [("--image", flash.image.is_some()), ("--output", flash.output.is_some())] {
        if is_given && flash.nodes.len() > 1 {
            return Err(Stop::misuse(
                format!("`{option}` is for one node, and {} are named", flash.nodes.len()),
                "run the command once for each node",
            ));
        }
    }
    let mut targets: Vec<Target<'a>> = Vec::new();
    for name in &flash.nodes {
        let (node, board) = find(cluster, name)?;
        if targets.iter().any(|target| target.name() == &node.name) {
            return Err(Stop::misuse(format!("`{name}` is named twice"), "name each node once"));
        }
        let image = match &flash.image {
            Some(image) => image.clone(),
            None => find_image(folder, &node.name).map_err(|mistake| Stop::mistake(&node.name, &mistake))?,
        };
        targets.push(Target { node, board, image });
    }
    Ok(targets)
}

fn find<'a>(cluster: &'a Cluster, name: &str) -> Result<(&'a Node, &'a Board), Stop> {
    let node = cluster.node(name).map_err(|unknown| Stop::misuse(&unknown, unknown.hint()))?;
    let board = cluster.boards.iter().find(|board| board.name == node.board);
    let board =
        board.ok_or_else(|| Stop::new(&node.name, format!("the cluster has no board `{}`", node.board)))?;
    Ok((node, board))
}
