//! An image file as the stream of the bytes that end up on the boot disk.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Error as XzError, Stream};
use thiserror::Error;

use crate::config::diagnostics::Mistake;
use crate::config::modules::Hardware;

/// The memory for decoding, in bytes: hardly more than `xz -6` needs. The BMC has 128 MiB and stops at what is free, so an
/// image that passes here passes there.
const MEMORY_LIMIT: u64 = 16 * 1024 * 1024;
const BUFFER: usize = 256 * 1024;

/// The compression of a file. The BMC knows these two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    None,
    Xz,
}

/// A file that cannot be an image.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error("cannot read `{}`: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` is not a file", path.display())]
    NotAFile { path: PathBuf },
    #[error(
        "`{}` has {size} bytes, but the {} of {} has {}",
        path.display(), hardware.boot_disk.name, hardware.indefinite(), hardware.boot_disk.size
    )]
    TooLarge { path: PathBuf, size: u64, hardware: &'static Hardware },
    #[error("`{}` is compressed with {format}, which the BMC would write to the eMMC without decompressing it", path.display())]
    Format { path: PathBuf, format: &'static str, unpack: &'static str },
    #[error("`{}` is the disk of a virtual machine ({format})", path.display())]
    VirtualDisk { path: PathBuf, format: &'static str },
}

impl Mistake for OpenError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Read { .. } => return None,
            Self::NotAFile { .. } => "name the image itself, such as `result/rk1-01.img.xz`".to_owned(),
            Self::TooLarge { .. } => "build a smaller image".to_owned(),
            Self::Format { path, unpack, .. } => {
                format!("decompress it with `{unpack} {}`, or compress it with `xz -6`", path.display())
            }
            Self::VirtualDisk { path, .. } => {
                format!("convert it with `qemu-img convert -O raw {} disk.img`", path.display())
            }
        })
    }
}

/// Why an .xz file cannot be decompressed. It comes as the inner error of an [`io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UnpackError {
    #[error("the .xz file is damaged")]
    Damaged,
    #[error("the .xz file is incomplete")]
    Truncated,
    #[error("the .xz file needs more memory than the BMC has")]
    Memory,
    #[error("the .xz file uses a feature that liblzma does not support")]
    Unsupported,
}

impl Mistake for UnpackError {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::Damaged | Self::Truncated => "build or copy it again",
            Self::Memory => "compress it with `xz -6` or less",
            Self::Unsupported => "compress it with `xz -6`",
        };
        Some(instead.to_owned())
    }
}

/// A stream of an image's bytes, decompressed as it is read. It takes at most 16 MiB of memory.
pub struct Image(Stage);

enum Stage {
    Raw(BufReader<File>),
    Xz(XzDecoder<BufReader<File>>),
}

/// Opens an image for a module. Its first bytes decide about the compression, not its name.
pub fn open(path: &Path, hardware: &'static Hardware) -> Result<Image, OpenError> {
    let read = |source| OpenError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(read)?;
    let metadata = file.metadata().map_err(read)?;
    if metadata.is_dir() {
        return Err(OpenError::NotAFile { path: path.to_owned() });
    }
    if metadata.is_file() && metadata.len() > hardware.boot_disk.size {
        return Err(OpenError::TooLarge { path: path.to_owned(), size: metadata.len(), hardware });
    }
    let mut input = BufReader::with_capacity(BUFFER, file);
    let magic = input.fill_buf().map_err(read)?;
    let compressed = |format, unpack| OpenError::Format { path: path.to_owned(), format, unpack };
    match magic {
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            let stream = Stream::new_stream_decoder(MEMORY_LIMIT, CONCATENATED)
                .map_err(|error| read(io::Error::from(error)))?;
            Ok(Image(Stage::Xz(XzDecoder::new_stream(input, stream))))
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Err(compressed("zstd", "unzstd")),
        [0x1f, 0x8b, ..] => Err(compressed("gzip", "gunzip")),
        [b'P', b'K', 3, 4, ..] => Err(compressed("zip", "unzip")),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Err(compressed("bzip2", "bunzip2")),
        [0x04, 0x22, 0x4d, 0x18, ..] => Err(compressed("lz4", "unlz4")),
        [b'Q', b'F', b'I', 0xfb, ..] => {
            Err(OpenError::VirtualDisk { path: path.to_owned(), format: "qcow2" })
        }
        _ => Ok(Image(Stage::Raw(input))),
    }
}

impl Image {
    /// Returns the compression of the file.
    #[must_use]
    pub fn compression(&self) -> Compression {
        match self.0 {
            Stage::Raw(_) => Compression::None,
            Stage::Xz(_) => Compression::Xz,
        }
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Image").field(&self.compression()).finish()
    }
}

impl Read for Image {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Stage::Raw(file) => file.read(buffer),
            Stage::Xz(decoder) => decoder.read(buffer).map_err(unpack_error),
        }
    }
}

fn unpack_error(error: io::Error) -> io::Error {
    let xz = error.get_ref().and_then(|inner| inner.downcast_ref::<XzError>());
    let mistake = match (xz, error.kind()) {
        (Some(XzError::Data | XzError::Format), _) => UnpackError::Damaged,
        (Some(XzError::MemLimit | XzError::Mem), _) => UnpackError::Memory,
        (Some(_), _) => UnpackError::Unsupported,
        // The decoder reports one of these when its input ends within a stream.
        (None, io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput) => UnpackError::Truncated,
        (None, _) => return error,
    };
    io::Error::new(io::ErrorKind::InvalidData, mistake)
}
