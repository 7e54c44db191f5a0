//! The work before a BMC is contacted: the image is inspected, the seed is read, and the bytes to send are hashed.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::select;
use tokio::task::spawn_blocking;
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
use crate::provision::image::{self, Identity, Inspection};
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

pub(super) async fn prepare(
    cluster: &Cluster,
    folder: &Path,
    target: &HostImage<'_>,
    interrupt: &mut Interrupt,
    console: &mut impl Console,
) -> Result<Prepared, FlashError> {
    let name = target.name();
    let hardware = target.hardware;
    let identity = Identity::of(&cluster.name, name);
    // Whatever takes no time comes first.
    let seed = seed::for_node(cluster, target.node, folder).map_err(FlashError::Seed)?;
    if seed.joins_blindly {
        console.show(name, Notice::JoinsBlindly);
    }
    let host = seed.files.iter().find(|file| file.place == SecretPlace::SshHostKey);
    let host = host.and_then(|file| generate::known_host(cluster, target.node, &file.bytes));
    let secrets = seed.files.iter().map(|file| file.name.as_str().to_owned()).collect();
    let opened = image::open(&target.image, hardware).map_err(FlashError::Open)?;

    let inspect = |progress| image::inspect(Counted::new(opened, progress), hardware);
    let inspection = run(name, ReadPurpose::Inspecting, interrupt, console, inspect)
        .await?
        .map_err(FlashError::Inspect)?;
    check(&inspection, &identity, target)?;
    console.show(name, Notice::ImageAccepted { image: &target.image, hardware });

    let open = opener(target.image.clone(), hardware, seed, identity);
    let measure = |progress| Payload::measure(open, progress);
    let payload =
        run(name, ReadPurpose::Hashing, interrupt, console, measure).await?.map_err(FlashError::ReadImage)?;
    console.show(name, Notice::Measured { length: payload.length, sha256: &payload.sha256 });
    Ok(Prepared { payload, secrets, host })
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

/// Runs something long on a thread of its own, shows its progress, and lets Ctrl-C end it.
pub(super) async fn run<T: Send + 'static>(
    node: &Label,
    reading: ReadPurpose,
    interrupt: &mut Interrupt,
    console: &mut impl Console,
    work: impl FnOnce(ReadProgress) -> T + Send + 'static,
) -> Result<T, FlashError> {
    let progress = ReadProgress::default();
    let mut thread = {
        let progress = progress.clone();
        spawn_blocking(move || work(progress))
    };
    let mut tick = interval(TICK);
    console.show(node, Notice::ReadingBegins(reading));
    let result = loop {
        select! {
            result = &mut thread => break result.map_err(FlashError::Thread),
            () = interrupt.wait() => {
                progress.stop();
                break Err(FlashError::interrupted());
            }
            _ = tick.tick() => console.show(node, Notice::Read(progress.bytes())),
        }
    };
    console.show(node, Notice::ReadingEnds);
    result
}
