//! The image with its secrets as a file, for `tpi`.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use data_encoding::HEXLOWER;
use liblzma::write::XzEncoder;
use sha2::{Digest, Sha256};

use super::prepare::{prepare, read_stop, run};
use super::screen::{Screen, human};
use super::stop::Stop;
use super::target::Target;
use crate::cli::print;
use crate::config::cluster::Cluster;
use crate::provision::flash::{Counted, Interrupt, Pass, Payload};
use crate::shell::word;

/// The BMC has 128 MiB: it decodes no more than this.
const PRESET: u32 = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Raw,
    Xz,
}

impl Form {
    /// By the name, as the BMC does: it decodes what ends in `.xz`, exactly so, and writes anything else as it is.
    fn of(file: &Path) -> Option<Self> {
        match file.extension()?.to_str()? {
            "img" | "raw" => Some(Self::Raw),
            "xz" => Some(Self::Xz),
            _ => None,
        }
    }
}

pub(super) async fn write(
    cluster: &Cluster,
    folder: &Path,
    target: &Target<'_>,
    file: &Path,
    interrupt: &mut Interrupt,
) -> Result<(), Stop> {
    let name = target.name();
    let form = Form::of(file).ok_or_else(|| {
        let what = format!("`{}` ends neither in .img nor in .xz", file.display());
        Stop::new(name, what).with_hint("the BMC goes by the name: call it NAME.img or NAME.img.xz")
    })?;
    let mut screen = Screen::new(name);
    let prepared = prepare(cluster, folder, target, interrupt, &mut screen).await?;
    let created = create(file).map_err(|error| {
        let stop = Stop::new(name, format!("cannot write `{}`: {error}", file.display()));
        if error.kind() == io::ErrorKind::AlreadyExists {
            stop.with_hint("nothing is overwritten: name another file, or remove this one")
        } else {
            stop
        }
    })?;
    let payload = prepared.payload;
    let length = payload.length;
    screen.begin(length);
    let work = move |pass| copy(&payload, created, form, pass);
    let written = match run(name, "writing", interrupt, &mut screen, work).await {
        Ok(written) => written.map_err(|error| {
            let stop = read_stop(name, &error);
            stop.saying(format!("{name}: cannot make `{}`: {error}", file.display()))
        }),
        Err(stop) => Err(stop),
    };
    // A part of it is of no use, and holds secrets.
    let sha256 = written.inspect_err(|_| drop(fs::remove_file(file)))?;
    screen.line(&format!("{} holds secrets: remove it when the node is flashed", file.display()));
    screen.line("`tpi` ends with 0 even when the flash has failed: look for `Done`, and for no `Error`");
    print(&commands(target, file, &sha256)).map_err(|error| Stop::new(name, error))?;
    screen.line(&format!("wrote {} ({} unpacked)", file.display(), human(length)));
    Ok(())
}

/// A new file, for its owner alone from the beginning.
fn create(file: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).mode(0o600).open(file)
}

/// The SHA-256 of what is written, which is what `tpi` sends.
fn copy(payload: &Payload, file: File, form: Form, pass: Pass) -> io::Result<String> {
    let mut image = Counted::new(payload.open()?, pass).take(payload.length);
    let mut hashing = Hashing { file, hash: Sha256::new() };
    match form {
        Form::Raw => drop(io::copy(&mut image, &mut hashing)?),
        Form::Xz => {
            let mut encoder = XzEncoder::new(&mut hashing, PRESET);
            io::copy(&mut image, &mut encoder)?;
            encoder.finish()?;
        }
    }
    hashing.file.sync_all()?;
    Ok(HEXLOWER.encode(&hashing.hash.finalize()))
}

struct Hashing {
    file: File,
    hash: Sha256,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hash.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn commands(target: &Target<'_>, file: &Path, sha256: &str) -> String {
    let (host, user, slot) = (target.bmc(), &target.board.user, target.slot().number());
    let tpi = format!("tpi --host {host} --user {user}");
    format!(
        "{tpi} flash --node {slot} --image-path {} --sha256 {sha256}\n{tpi} power on --node {slot}\n",
        word(&file.display().to_string())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_goes_by_the_name_as_the_bmc_takes_it() {
        let form = |name: &str| Form::of(Path::new(name));
        assert_eq!(form("a.img"), Some(Form::Raw));
        assert_eq!(form("a.img.xz"), Some(Form::Xz));
        assert_eq!(form("a.img.XZ"), None);
        assert_eq!(form("a.img.zst"), None);
        assert_eq!(form("img"), None);
    }
}
