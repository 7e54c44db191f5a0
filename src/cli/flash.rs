mod dry_run;
mod prompt;
mod screen;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use super::cluster_file::{folder_of, read_cluster};
use super::completions::node_names;
use super::duration::duration;
use super::outcome::Outcome;
use super::output::{print, print_hint, print_mistake, say, styled};
use super::progress::human;
use super::runtime::runtime;
use crate::common::shell::word;
use crate::config::cluster::{Cluster, Label, Node};
use crate::provision::flash::{
    Flash as Flasher, FlashError, Interrupt, Options, SeededFile, Target, TargetError, host_image, slot,
    targets,
};
use screen::Screen;

/// Write each node's image, with its secrets, to the eMMC of its module
///
/// Talks to the controllers (BMC) of the boards. Nodes are flashed one after the other: each is powered on, and the next
/// one follows when its SSH server answers. Meanwhile the image of the next one is inspected and hashed. The first failure
/// ends the command, which then prints the state of that node. Ctrl-C cancels.
#[derive(Debug, Args)]
pub(super) struct Flash {
    /// Nodes to flash
    #[arg(required = true, value_name = "NODE", add = ArgValueCandidates::new(node_names))]
    nodes: Vec<String>,
    /// Image of the node [default: result/NODE.img.xz, as nix build leaves it]
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// Overwrite nodes that are in use without asking
    #[arg(short, long)]
    yes: bool,
    /// Read the images and secrets and print each step, without contacting anything
    #[arg(long)]
    dry_run: bool,
    /// Write the image with the secrets of one node to a new .img or .img.xz file instead of flashing it
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    output: Option<PathBuf>,
    /// Cancel a transfer that is running on the board, whoever started it
    #[arg(long)]
    take_over: bool,
    /// Longest time to wait for a board that is busy with another transfer
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration(0..=86_400))]
    wait_for_board: Duration,
    /// Time without any progress after which a flash has failed
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = duration(1..=86_400))]
    stall: Duration,
    /// Longest time to wait for the SSH server of the flashed node, 0 for not at all
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration(0..=86_400))]
    wait: Duration,
}

impl Flash {
    pub(super) fn run(self, file: &Path) -> anyhow::Result<Outcome> {
        let cluster = read_cluster(file)?;
        let runtime = runtime()?;
        let result = runtime.block_on(self.flash(&cluster, folder_of(file)));
        // A thread that still reads an image must not delay the end.
        runtime.shutdown_background();
        result
    }

    async fn flash(&self, cluster: &Cluster, folder: &Path) -> anyhow::Result<Outcome> {
        for (option, is_given) in [("--image", self.image.is_some()), ("--output", self.output.is_some())] {
            if is_given && self.nodes.len() > 1 {
                let message = format!("`{option}` takes one node, but {} are named", self.nodes.len());
                print_mistake(message, Some("run the command once for each node".to_owned()));
                return Ok(Outcome::Usage);
            }
        }
        if let (Some(file), [name]) = (&self.output, self.nodes.as_slice()) {
            return self.write_file(cluster, folder, name, file).await;
        }
        let targets = match targets(cluster, folder, &self.nodes, self.image.as_deref()) {
            Ok(targets) => targets,
            Err(error) => return Ok(print_target_error(&error)),
        };
        let interrupt = Interrupt::new().context("cannot wait for Ctrl-C")?;
        let mut screen = Screen::new(cluster, folder);
        let mut flasher = match Flasher::new(cluster, folder, self.options(), interrupt) {
            Ok(flasher) => flasher,
            Err(error) => return Ok(print_error(None, &error, &[])),
        };
        for (index, target) in targets.iter().enumerate() {
            if let Err(error) =
                self.flash_one(&mut flasher, target, targets.get(index + 1), &mut screen).await?
            {
                let rest = targets.get(index + 1..).unwrap_or_default();
                let names: Vec<_> = rest.iter().map(|target| target.name().as_str()).collect();
                return Ok(print_error(Some(target.name()), &error, &names));
            }
        }
        if !self.dry_run {
            match targets.len() {
                1 => say!("1 node flashed"),
                count => say!("{count} nodes flashed"),
            }
        }
        Ok(Outcome::Done)
    }

    /// Writes the image of a node with its secrets to a file.
    async fn write_file(
        &self,
        cluster: &Cluster,
        folder: &Path,
        name: &str,
        file: &Path,
    ) -> anyhow::Result<Outcome> {
        let image = match host_image(cluster, folder, name, self.image.as_deref()) {
            Ok(image) => image,
            Err(error) => return Ok(print_target_error(&error)),
        };
        let interrupt = Interrupt::new().context("cannot wait for Ctrl-C")?;
        let mut screen = Screen::new(cluster, folder);
        let mut flasher = match Flasher::new(cluster, folder, self.options(), interrupt) {
            Ok(flasher) => flasher,
            Err(error) => return Ok(print_error(None, &error, &[])),
        };
        match flasher.write_file(&image, file, &mut screen).await {
            Ok(written) => {
                let node = cluster.node(name)?;
                print_file(cluster, node, &written, &screen)?;
                Ok(Outcome::Done)
            }
            Err(error) => Ok(print_error(Some(image.name()), &error, &[])),
        }
    }

    /// Does what the options ask for with one node.
    async fn flash_one(
        &self,
        flasher: &mut Flasher<'_>,
        target: &Target<'_>,
        next: Option<&Target<'_>>,
        screen: &mut Screen<'_>,
    ) -> anyhow::Result<Result<(), FlashError>> {
        if self.dry_run {
            return match flasher.preview(target, screen).await {
                Ok(preview) => print(&dry_run::text(target, &preview, &self.options())).map(Ok),
                Err(error) => Ok(Err(error)),
            };
        }
        Ok(flasher.flash(target, next, screen).await)
    }

    fn options(&self) -> Options {
        Options {
            yes: self.yes,
            take_over: self.take_over,
            wait_for_board: self.wait_for_board,
            stall: self.stall,
            wait: self.wait,
        }
    }
}

fn print_target_error(error: &TargetError) -> Outcome {
    print_mistake(error, error.hint());
    if error.is_usage_error() { Outcome::Usage } else { Outcome::Failed }
}

/// Prints what is wrong, the state of the node, what to do, and which nodes were not flashed.
fn print_error(node: Option<&Label>, error: &FlashError, not_begun: &[&str]) -> Outcome {
    let node = node.map(|node| format!("{node}: ")).unwrap_or_default();
    say!("{}: {node}{error}", styled("error"));
    if let Some(state) = error.node_state() {
        say!("  state: {state}");
    }
    if let Some(hint) = error.hint() {
        print_hint(&hint);
    }
    if !not_begun.is_empty() {
        say!("  not flashed: {}", not_begun.join(", "));
    }
    if error.is_interruption() { Outcome::Interrupted } else { Outcome::Failed }
}

/// Prints the commands that flash a file, if the board's BMC can do that.
fn print_file(
    cluster: &Cluster,
    node: &Node,
    written: &SeededFile,
    screen: &Screen<'_>,
) -> anyhow::Result<()> {
    let path = written.path.display();
    let name = &node.name;
    screen.line(name, &format!("{path} holds secrets: remove it when the node is flashed"));
    match slot(cluster, node) {
        Ok((board, slot)) => {
            screen.line(
                name,
                "`tpi` exits with 0 even if the flash has failed: check that it prints `Done` and no `Error`",
            );
            let (host, user, slot) = (board.bmc.value, &board.user, slot.number());
            let tpi = format!("tpi --host {host} --user {user}");
            print(&format!(
                "{tpi} flash --node {slot} --image-path {} --sha256 {}\n{tpi} power on --node {slot}\n",
                word(&path.to_string()),
                written.sha256
            ))?;
        }
        Err(_) => screen.line(name, "no BMC can write it: docs/nodes.md has other ways"),
    }
    screen.line(name, &format!("wrote {path} ({} uncompressed)", human(written.length)));
    Ok(())
}
