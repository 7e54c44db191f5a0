//! The flash of one node from its image to its SSH server.

use std::path::Path;
use std::time::Duration;

use tokio::select;

use super::boards::Boards;
use super::console::{Console, Notice};
use super::drive::drive;
use super::error::FlashError;
use super::in_use;
use super::interrupt::Interrupt;
use super::payload::Payload;
use super::prepare::{Preparation, prepare};
use super::seeded_file::{self, SeededFile};
use super::ssh_greeting;
use super::steps::Job;
use super::target::{HostImage, Target};
use crate::common::certificate::Fingerprint;
use crate::config::cluster::{Cluster, Label};
use crate::provision::bmc::StartRequest;

/// How nodes are flashed.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Overwrite nodes that are in use without asking.
    pub yes: bool,
    /// Cancel a transfer that is already running on the board.
    pub take_over: bool,
    /// How long to wait for a board that is busy with another transfer.
    pub wait_for_board: Duration,
    /// A flash fails when nothing has moved for so long.
    pub stall: Duration,
    /// How long to wait for the SSH server of a flashed node. Zero: not at all.
    pub wait: Duration,
}

/// The flashes of one command.
#[derive(Debug)]
pub struct Flash<'a> {
    cluster: &'a Cluster,
    folder: &'a Path,
    options: Options,
    boards: Boards<'a>,
    interrupt: Interrupt,
    /// The work for the next node, begun while this one is flashed.
    ahead: Option<(Label, Result<Preparation, FlashError>)>,
}

/// What the flash of a node would do.
#[derive(Debug)]
pub struct Preview {
    /// The names of the secrets that the image would get.
    pub secrets: Vec<String>,
    pub request: StartRequest,
    /// The pinned certificate of the BMC, or `None` if the BMC has not been contacted yet.
    pub pinned: Option<Fingerprint>,
}

impl<'a> Flash<'a> {
    /// `folder` is that of `cluster.toml`.
    pub fn new(
        cluster: &'a Cluster,
        folder: &'a Path,
        options: Options,
        interrupt: Interrupt,
    ) -> Result<Self, FlashError> {
        Ok(Self { cluster, folder, options, boards: Boards::read(cluster, folder)?, interrupt, ahead: None })
    }

    /// Reads the image and the secrets of a node and returns what a flash would do. Contacts nobody.
    pub async fn preview(
        &mut self,
        target: &Target<'_>,
        console: &mut impl Console,
    ) -> Result<Preview, FlashError> {
        let prepared = prepare(self.cluster, self.folder, &target.host, &mut self.interrupt, console).await?;
        let request = target.start_request(&prepared.payload);
        Ok(Preview { secrets: prepared.secrets, request, pinned: self.boards.pinned(target) })
    }

    /// Writes the image of a node with its secrets to a new file.
    pub async fn write_file(
        &mut self,
        target: &HostImage<'_>,
        file: &Path,
        console: &mut impl Console,
    ) -> Result<SeededFile, FlashError> {
        seeded_file::write(self.cluster, self.folder, target, file, &mut self.interrupt, console).await
    }

    /// Flashes a node and waits for its SSH server. Meanwhile, the image of the next node is read.
    pub async fn flash(
        &mut self,
        target: &Target<'_>,
        next: Option<&Target<'_>>,
        console: &mut impl Console,
    ) -> Result<(), FlashError> {
        let Options { yes, wait_for_board, .. } = self.options;
        let preparation = match self.ahead.take() {
            Some((name, preparation)) if name == *target.name() => preparation,
            _ => Preparation::begin(self.cluster, self.folder, &target.host),
        };
        let prepared = preparation?.finish(self.cluster, &target.host, &mut self.interrupt, console).await?;
        let job = self.job(target, &prepared.payload);
        let bmc = self.boards.log_in(target, wait_for_board, &mut self.interrupt, console).await?;
        in_use::confirm_overwrite(target, yes, &mut self.interrupt, console).await?;
        self.ahead =
            next.map(|next| (next.name().clone(), Preparation::begin(self.cluster, self.folder, &next.host)));
        console.show(target.name(), Notice::FlashBegins { length: prepared.payload.length });
        let mut show = |phase| console.show(target.name(), Notice::Flashing(phase));
        let (result, state) = drive(bmc, job, &prepared.payload, &mut self.interrupt, &mut show).await;
        console.show(target.name(), Notice::FlashEnds);
        result.map_err(|failure| FlashError::Failed { failure, state })?;
        prepared.record_host(self.folder, target.name(), console)?;
        self.wait_for_ssh(target, console).await
    }

    fn job(&self, target: &Target<'_>, payload: &Payload) -> Job {
        Job {
            request: target.start_request(payload),
            stall: self.options.stall,
            take_over: self.options.take_over,
            wait_for_board: self.options.wait_for_board,
        }
    }

    async fn wait_for_ssh(
        &mut self,
        target: &Target<'_>,
        console: &mut impl Console,
    ) -> Result<(), FlashError> {
        let (address, limit) = (target.address(), self.options.wait);
        if limit.is_zero() {
            return Ok(());
        }
        console.show(target.name(), Notice::Booting { address });
        let waited = select! {
            waited = ssh_greeting::wait(address, limit) => waited,
            () = self.interrupt.wait() => return Err(FlashError::InterruptedBooting),
        };
        let took = waited.ok_or(FlashError::NoSsh { address, waited: limit })?;
        console.show(target.name(), Notice::Booted(took));
        Ok(())
    }
}
