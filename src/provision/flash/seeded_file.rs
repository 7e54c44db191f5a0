//! The image of a node with its secrets as a file, for `tpi`.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use liblzma::write::XzEncoder;
use sha2::{Digest, Sha256};

use super::console::{Console, ReadPurpose};
use super::error::FlashError;
use super::interrupt::Interrupt;
use super::payload::{Counted, Payload, ReadProgress};
use super::prepare::{Reading, prepare};
use super::target::HostImage;
use crate::config::cluster::Cluster;

/// The preset of `xz -6`. The BMC has 128 MiB of memory and cannot decode higher ones.
const PRESET: u32 = 6;

/// A file that was written.
#[derive(Debug)]
pub struct SeededFile {
    pub path: PathBuf,
    /// The length of the image in bytes, before compression.
    pub length: u64,
    /// The digest of the file as it is, in hexadecimal digits: `tpi` sends it unchanged.
    pub sha256: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Raw,
    Xz,
}

impl Format {
    /// Returns the format that the BMC derives from a name: it decodes exactly what ends in `.xz`.
    fn of(file: &Path) -> Option<Self> {
        match file.extension()?.to_str()? {
            "img" | "raw" => Some(Self::Raw),
            "xz" => Some(Self::Xz),
            _ => None,
        }
    }
}

/// Writes the image of a node with its secrets to a new file that only the user can read.
pub(super) async fn write(
    cluster: &Cluster,
    folder: &Path,
    target: &HostImage<'_>,
    file: &Path,
    interrupt: &mut Interrupt,
    console: &mut impl Console,
) -> Result<SeededFile, FlashError> {
    let path = file.to_owned();
    let format = Format::of(file).ok_or_else(|| FlashError::OutputName { file: path.clone() })?;
    let prepared = prepare(cluster, folder, target, interrupt, console).await?;
    let created = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .map_err(|source| FlashError::OutputCreate { file: path.clone(), source })?;
    let (payload, length) = (prepared.payload.clone(), prepared.payload.length);
    let work = move |progress| copy(&payload, created, format, progress);
    let written =
        match Reading::begin(work).finish(target.name(), ReadPurpose::Writing, interrupt, console).await {
            Ok(written) => written.map_err(|source| FlashError::OutputWrite { file: path.clone(), source }),
            Err(error) => Err(error),
        };
    // A part of the image is useless, and holds secrets.
    let sha256 = written.inspect_err(|_| drop(fs::remove_file(file)))?;
    prepared.record_host(folder, target.name(), console)?;
    Ok(SeededFile { path, length, sha256 })
}

/// Writes the image and returns the digest of the file.
fn copy(payload: &Payload, file: File, format: Format, progress: ReadProgress) -> io::Result<String> {
    let mut image = Counted::new(payload.open()?, progress).take(payload.length);
    let mut output = HashingWriter { file, hash: Sha256::new() };
    match format {
        Format::Raw => drop(io::copy(&mut image, &mut output)?),
        Format::Xz => {
            let mut encoder = XzEncoder::new(&mut output, PRESET);
            io::copy(&mut image, &mut encoder)?;
            encoder.finish()?;
        }
    }
    output.file.sync_all()?;
    Ok(HEXLOWER.encode(&output.hash.finalize()))
}

struct HashingWriter {
    file: File,
    hash: Sha256,
}

impl Write for HashingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hash.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_follows_the_name_as_the_bmc_reads_it() {
        let format = |name: &str| Format::of(Path::new(name));
        assert_eq!(format("a.img"), Some(Format::Raw));
        assert_eq!(format("a.img.xz"), Some(Format::Xz));
        assert_eq!(format("a.img.XZ"), None);
        assert_eq!(format("a.img.zst"), None);
        assert_eq!(format("img"), None);
    }
}
