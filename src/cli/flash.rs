mod boards;
mod dry_run;
mod output;
mod overwrite;
mod prepare;
mod screen;
mod stop;
mod target;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use super::completions::node_names;
use super::duration::duration;
use super::runtime::runtime;
use super::{Outcome, folder_of, read_cluster};
use crate::config::cluster::Cluster;
use crate::provision::flash::steps::Job;
use crate::provision::flash::{Interrupt, Payload, drive, ssh};
use boards::Boards;
use screen::Screen;
use stop::Stop;
use target::Target;

/// Write each node's image, with its secrets, to the eMMC of its module
///
/// Talks to the controllers (BMC) of the boards. Nodes are flashed one after the other: each is powered on, and the next
/// one follows when its ssh answers. The first failure ends the command, which then prints the state of that node. Ctrl-C
/// cancels.
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
    /// Time without any progress after which a flash has failed
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = duration(1..=86_400))]
    stall: Duration,
    /// Longest time to wait for ssh on the flashed node, 0 for not at all
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration(0..=86_400))]
    wait: Duration,
}

impl Flash {
    pub(super) fn run(self, file: &Path) -> anyhow::Result<Outcome> {
        let cluster = read_cluster(file)?;
        let runtime = runtime()?;
        let result = runtime.block_on(self.flash(&cluster, folder_of(file)));
        // A thread that still reads an image has nobody left to read it for.
        runtime.shutdown_background();
        result
    }

    async fn flash(&self, cluster: &Cluster, folder: &Path) -> anyhow::Result<Outcome> {
        let targets = match target::targets(self, cluster, folder) {
            Ok(targets) => targets,
            Err(stop) => return Ok(stop.print(&[])),
        };
        let mut interrupt = Interrupt::new().context("cannot wait for Ctrl-C")?;
        let mut boards = Boards::read(cluster, folder)?;
        for (index, target) in targets.iter().enumerate() {
            let result = match &self.output {
                Some(file) => output::write(cluster, folder, target, file, &mut interrupt).await,
                None if self.dry_run => self.rehearse(cluster, folder, target, &boards, &mut interrupt).await,
                None => self.flash_one(cluster, folder, target, &mut boards, &mut interrupt).await,
            };
            if let Err(stop) = result {
                let rest = targets.get(index + 1..).unwrap_or_default();
                let names: Vec<_> = rest.iter().map(|target| target.name().as_str()).collect();
                return Ok(stop.print(&names));
            }
        }
        if self.output.is_none() && !self.dry_run {
            match targets.len() {
                1 => anstream::eprintln!("1 node is flashed"),
                count => anstream::eprintln!("{count} nodes are flashed"),
            }
        }
        Ok(Outcome::Done)
    }

    async fn rehearse(
        &self,
        cluster: &Cluster,
        folder: &Path,
        target: &Target<'_>,
        boards: &Boards<'_>,
        interrupt: &mut Interrupt,
    ) -> Result<(), Stop> {
        let mut screen = Screen::new(target.name());
        let prepared = prepare::prepare(cluster, folder, target, interrupt, &mut screen).await?;
        let job = self.job(target, &prepared.payload);
        super::print(&dry_run::text(target, &prepared, &job, boards, self.wait.as_secs()))
            .map_err(|error| Stop::new(target.name(), error))
    }

    async fn flash_one(
        &self,
        cluster: &Cluster,
        folder: &Path,
        target: &Target<'_>,
        boards: &mut Boards<'_>,
        interrupt: &mut Interrupt,
    ) -> Result<(), Stop> {
        let mut screen = Screen::new(target.name());
        let prepared = prepare::prepare(cluster, folder, target, interrupt, &mut screen).await?;
        let bmc = boards.log_in(target, interrupt, &screen).await?;
        overwrite::ask(cluster, folder, target, self.yes, interrupt, &screen).await?;
        let job = self.job(target, &prepared.payload);
        screen.begin(prepared.payload.length);
        let (result, left) =
            drive(bmc, job, &prepared.payload, interrupt, &mut |phase| screen.show(phase)).await;
        screen.end();
        result.map_err(|failure| Stop::failed(target.name(), &failure, left))?;
        self.wait_for_ssh(target, interrupt, &screen).await
    }

    fn job(&self, target: &Target<'_>, payload: &Payload) -> Job {
        Job { request: target.start_request(payload), stall: self.stall, take_over: self.take_over }
    }

    async fn wait_for_ssh(
        &self,
        target: &Target<'_>,
        interrupt: &mut Interrupt,
        screen: &Screen,
    ) -> Result<(), Stop> {
        if self.wait.is_zero() {
            return Ok(());
        }
        let address = target.address();
        screen.line(&format!("powered on; waiting for ssh at {address}"));
        let waited = tokio::select! {
            waited = ssh::wait(address, self.wait) => waited,
            () = interrupt.wait() => return Err(Stop::interrupted_while_booting(target.name())),
        };
        match waited {
            Some(time) => {
                screen.line(&format!("ssh answers after {} s", time.as_secs()));
                Ok(())
            }
            None => Err(Stop::does_not_answer(target.name(), address, self.wait.as_secs())),
        }
    }
}
