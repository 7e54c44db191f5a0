//! The work before a BMC is contacted: the image is inspected, the seed is read, and the bytes to send are hashed.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::select;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::interval;

use super::console::{Console, Notice, ReadPurpose};
use super::error::FlashError;
use super::interrupt::Interrupt;
use super::payload::{Counted, Open, Payload, ReadProgress};
use super::target::HostImage;
use crate::common::known_hosts::{self, KnownHost};
use crate::config::cluster::{Cluster, Label, SecretPlace};
use crate::config::modules::Hardware;
use crate::provision::generate;
use crate::provision::image::{self, Identity, InspectError, Inspection};
use crate::provision::seed::{self, Seed, Seeded};

const TICK: Duration = Duration::from_millis(200);

/// The image of a node with its secrets, ready to be sent.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) payload: Payload,
    /// The names of the secrets in it.
    pub(super) secrets: Vec<String>,
    /// The host key in it, by which ssh knows the node.
    pub(super) host: Option<KnownHost>,
}

impl Prepared {
    /// Records the host key of a node that has this image now.
    pub(super) fn record_host(
        &self,
        folder: &Path,
        node: &Label,
        console: &mut impl Console,
    ) -> Result<(), FlashError> {
        let file = folder.join(known_hosts::FILE_NAME);
        let hosts = self.host.as_slice();
        let has_changed = known_hosts::record(folder, hosts)
            .map_err(|source| FlashError::KnownHosts { file: file.clone(), source })?;
        if has_changed {
            console.show(node, Notice::HostKeyRecorded { file: &file });
        }
        Ok(())
    }
}

/// The work before a flash, which goes on while nobody waits for it: the image of a node is read while that of another is
/// sent.
#[derive(Debug)]
pub(super) struct Preparation {
    joins_blindly: bool,
    secrets: Vec<String>,
    host: Option<KnownHost>,
    inspection: Reading<Result<Inspection, InspectError>>,
    /// Begins when the inspection has ended.
    payload: Reading<io::Result<Payload>>,
}

impl Preparation {
    /// Reads the seed, and begins to read the image.
    pub(super) fn begin(
        cluster: &Cluster,
        folder: &Path,
        target: &HostImage<'_>,
    ) -> Result<Self, FlashError> {
        let hardware = target.hardware;
        // Whatever takes no time comes first.
        let seed = seed::for_node(cluster, target.node, folder).map_err(FlashError::Seed)?;
        let joins_blindly = seed.joins_blindly;
        let host = seed.files.iter().find(|file| file.place == SecretPlace::SshHostKey);
        let host = host.and_then(|file| generate::known_host(cluster, target.node, &file.bytes));
        let secrets = seed.files.iter().map(|file| file.name.as_str().to_owned()).collect();
        let opened = image::open(&target.image, hardware).map_err(FlashError::Open)?;

        let (inspected, has_inspected) = mpsc::channel();
        let inspection = Reading::begin(move |progress| {
            let inspection = image::inspect(Counted::new(opened, progress), hardware);
            // Nobody waits for this any more if the flash was given up.
            let _ = inspected.send(());
            inspection
        });
        let open = opener(target.image.clone(), hardware, seed, Identity::of(&cluster.name, target.name()));
        let payload = Reading::begin(move |progress| {
            // An error means that the inspection has panicked, which its own thread tells.
            let _ = has_inspected.recv();
            Payload::measure(open, progress)
        });
        Ok(Self { joins_blindly, secrets, host, inspection, payload })
    }

    /// Waits until the image is read.
    pub(super) async fn finish(
        self,
        cluster: &Cluster,
        target: &HostImage<'_>,
        interrupt: &mut Interrupt,
        console: &mut impl Console,
    ) -> Result<Prepared, FlashError> {
        let name = target.name();
        if self.joins_blindly {
            console.show(name, Notice::JoinsBlindly);
        }
        let inspection = self.inspection.finish(name, ReadPurpose::Inspecting, interrupt, console).await?;
        check(&inspection.map_err(FlashError::Inspect)?, &Identity::of(&cluster.name, name), target)?;
        console.show(name, Notice::ImageAccepted { image: &target.image, hardware: target.hardware });
        let payload = self.payload.finish(name, ReadPurpose::Hashing, interrupt, console).await?;
        let payload = payload.map_err(FlashError::ReadImage)?;
        console.show(name, Notice::Measured { length: payload.length, sha256: &payload.sha256 });
        Ok(Prepared { payload, secrets: self.secrets, host: self.host })
    }
}

pub(super) async fn prepare(
    cluster: &Cluster,
    folder: &Path,
    target: &HostImage<'_>,
    interrupt: &mut Interrupt,
    console: &mut impl Console,
) -> Result<Prepared, FlashError> {
    Preparation::begin(cluster, folder, target)?.finish(cluster, target, interrupt, console).await
}

/// Opens the image with the seed in it, as often as it is called.
fn opener(path: PathBuf, hardware: &'static Hardware, seed: Seed, identity: Identity) -> Open {
    Arc::new(move || {
        let image = image::open(&path, hardware).map_err(io::Error::other)?;
        let partition = seed::partition(&seed, &identity).map_err(io::Error::other)?;
        Ok(Box::new(Seeded::new(image, partition)?) as Box<dyn Read + Send>)
    })
}

/// Checks that the image boots, and that it is the image of this host.
fn check(inspection: &Inspection, identity: &Identity, target: &HostImage<'_>) -> Result<(), FlashError> {
    let (host, image) = (target.name().clone(), target.image.clone());
    let faults = inspection.faults();
    if !faults.is_empty() {
        return Err(FlashError::Unbootable { image, hardware: target.hardware, faults });
    }
    match inspection.host() {
        Some(found) if *found != host => {
            Err(FlashError::ImageOfAnother { image, found: found.clone(), host })
        }
        _ if !inspection.is_of(identity) => Err(FlashError::ImageOfAnotherCluster { image, host }),
        _ => Ok(()),
    }
}

/// Something long on a thread of its own. It is stopped when nobody waits for it any more.
#[derive(Debug)]
pub(super) struct Reading<T> {
    thread: JoinHandle<T>,
    progress: ReadProgress,
}

impl<T: Send + 'static> Reading<T> {
    pub(super) fn begin(work: impl FnOnce(ReadProgress) -> T + Send + 'static) -> Self {
        let progress = ReadProgress::default();
        let thread = {
            let progress = progress.clone();
            spawn_blocking(move || work(progress))
        };
        Self { thread, progress }
    }

    /// Waits for the end, shows progress, and lets Ctrl-C end it.
    pub(super) async fn finish(
        mut self,
        node: &Label,
        reading: ReadPurpose,
        interrupt: &mut Interrupt,
        console: &mut impl Console,
    ) -> Result<T, FlashError> {
        let mut tick = interval(TICK);
        console.show(node, Notice::ReadingBegins(reading));
        let result = loop {
            select! {
                result = &mut self.thread => break result.map_err(FlashError::Thread),
                () = interrupt.wait() => break Err(FlashError::interrupted()),
                _ = tick.tick() => console.show(node, Notice::Read(self.progress.bytes())),
            }
        };
        console.show(node, Notice::ReadingEnds);
        result
    }
}

impl<T> Drop for Reading<T> {
    fn drop(&mut self) {
        self.progress.stop();
    }
}
