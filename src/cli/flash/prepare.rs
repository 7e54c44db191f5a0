//! All that is done before a BMC is asked: the image is looked through, the seed is read, and what will be sent is hashed.

use std::error::Error;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::select;
use tokio::task::spawn_blocking;
use tokio::time::interval;

use super::screen::{Screen, human};
use super::stop::Stop;
use super::target::Target;
use crate::config::cluster::{Cluster, Label};
use crate::config::diagnostics::Mistake;
use crate::provision::flash::{Counted, Interrupt, Open, Pass, Payload};
use crate::provision::image::{self, Identity, Inspection, UnpackError};
use crate::provision::seed::{self, Seeded, SeededError};

const TICK: Duration = Duration::from_millis(200);

/// What is known of a flash before it begins.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) payload: Payload,
    /// Names of the secrets that are in it.
    pub(super) secrets: Vec<String>,
}

pub(super) async fn prepare(
    cluster: &Cluster,
    folder: &Path,
    target: &Target<'_>,
    interrupt: &mut Interrupt,
    screen: &mut Screen,
) -> Result<Prepared, Stop> {
    let name = target.name();
    let identity = Identity::of(&cluster.name, name);
    // First what takes no time.
    let seed = seed::for_node(cluster, target.node, folder).map_err(|refused| seed_stop(name, &refused))?;
    let secrets = seed.files.iter().map(|file| file.name.as_str().to_owned()).collect();
    let opened = image::open(&target.image).map_err(|mistake| Stop::mistake(name, &mistake))?;

    let look = |pass| image::inspect(Counted::new(opened, pass));
    let inspection = run(name, "looking through the image", interrupt, screen, look)
        .await?
        .map_err(|error| read_stop(name, &error))?;
    check(&inspection, &identity, target)?;
    screen.line(&format!("{} would boot on an RK1, and is this host's", target.image.display()));

    let open = opener(target.image.clone(), seed, identity);
    let measure = |pass| Payload::measure(open, pass);
    let payload = run(name, "hashing what will be sent", interrupt, screen, measure)
        .await?
        .map_err(|error| read_stop(name, &error))?;
    screen.line(&format!("{} with its secrets, sha256 {}", human(payload.length), payload.sha256));
    Ok(Prepared { payload, secrets })
}

/// Opens the image with the seed in its place, as often as it is asked.
fn opener(path: std::path::PathBuf, seed: seed::Seed, identity: Identity) -> Open {
    Arc::new(move || {
        let image = image::open(&path).map_err(io::Error::other)?;
        let partition = seed::partition(&seed, &identity).map_err(io::Error::other)?;
        Ok(Box::new(Seeded::new(image, partition)?) as Box<dyn Read + Send>)
    })
}

/// Whether the image boots, and is the one that was meant.
fn check(inspection: &Inspection, identity: &Identity, target: &Target<'_>) -> Result<(), Stop> {
    let (name, path) = (target.name(), target.image.display());
    let faults = inspection.faults();
    if let Some(first) = faults.first() {
        let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
        let stop = Stop::new(name, format!("`{path}` would not boot on an RK1: {}", faults.join("; ")));
        return Err(match first.hint() {
            Some(hint) => stop.with_hint(hint),
            None => stop,
        });
    }
    match inspection.host() {
        Some(host) if host != name => {
            let stop = Stop::new(name, format!("`{path}` is the image of `{host}`"));
            Err(stop.with_hint(format!("give the image of this host: `nix build .#{name}`")))
        }
        _ if !inspection.is_of(identity) => {
            let stop = Stop::new(name, format!("`{path}` is not this host's in this cluster"));
            Err(stop.with_hint(format!(
                "its disks are named by the cluster's name and the host's: build it anew, `nix build .#{name}`"
            )))
        }
        _ => Ok(()),
    }
}

/// Runs something long on a thread of its own, shows how far it is, and lets Ctrl-C end it.
pub(super) async fn run<T: Send + 'static>(
    name: &Label,
    what: &'static str,
    interrupt: &mut Interrupt,
    screen: &mut Screen,
    work: impl FnOnce(Pass) -> T + Send + 'static,
) -> Result<T, Stop> {
    let pass = Pass::default();
    let mut thread = {
        let pass = pass.clone();
        spawn_blocking(move || work(pass))
    };
    let mut tick = interval(TICK);
    screen.begin_pass(what);
    let result = loop {
        select! {
            result = &mut thread => break result.map_err(|error| Stop::new(name, error)),
            () = interrupt.wait() => {
                pass.stop();
                break Err(Stop::interrupted(name));
            }
            _ = tick.tick() => screen.passed(pass.bytes()),
        }
    };
    screen.end();
    result
}

fn seed_stop(name: &Label, refused: &seed::Refused) -> Stop {
    let hints: Vec<_> = refused.0.iter().filter_map(Mistake::hint).collect();
    let stop = Stop::new(name, refused);
    if hints.is_empty() { stop } else { stop.with_hint(hints.join("; ")) }
}

/// An error of reading an image, with the hint of whatever is at the bottom of it.
pub(super) fn read_stop(name: &Label, error: &(dyn Error + 'static)) -> Stop {
    let stop = Stop::new(name, error);
    match hint(error) {
        Some(hint) => stop.with_hint(hint),
        None => stop,
    }
}

fn hint(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(mistake) = error.downcast_ref::<UnpackError>() {
        return mistake.hint();
    }
    if let Some(mistake) = error.downcast_ref::<SeededError>() {
        return mistake.hint();
    }
    // An error of input and output hides what it was made of.
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    inner.and_then(|inner| hint(inner)).or_else(|| error.source().and_then(hint))
}
