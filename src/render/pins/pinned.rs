//! The file and what is in it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::sri::Sri;
use crate::config::cluster::Release;
use crate::config::written::Channel;

pub const FILE_NAME: &str = "pins.json";
/// Bytes that are read: a truncated file is not valid. The built-in pins have 10 kB.
const SIZE_LIMIT: u64 = 4 << 20;
const BUILT_IN: &str = include_str!("../../../pins.json");

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pins {
    /// By the chart's name.
    pub charts: BTreeMap<String, ChartPins>,
    pub gateway_api: DefinitionPins,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChartPins {
    /// The URL of the Helm repository, without a slash at the end.
    pub repository: String,
    /// By release. The cluster fetches any other release itself, unchecked.
    pub versions: BTreeMap<String, PinnedFile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedFile {
    pub url: String,
    pub hash: Sri,
}

/// Definitions of the Gateway API's resources: by release and by channel, the hash of each file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefinitionPins {
    /// The URL below which the files lie, by tag, without a slash at the end.
    pub repository: String,
    /// The URL of a list of all releases, one a line. Git repositories have none, so it is that of the Go module.
    #[serde(default = "releases_of_module")]
    pub releases: String,
    pub versions: BTreeMap<String, BTreeMap<String, BTreeMap<String, Sri>>>,
}

fn releases_of_module() -> String {
    "https://proxy.golang.org/sigs.k8s.io/gateway-api/@v/list".to_owned()
}

#[derive(Debug, Error)]
pub enum PinsError {
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` is not a valid pins.json", path.display())]
    Format { path: PathBuf, source: serde_json::Error },
}

impl Pins {
    /// Reads the pins of the folder, or takes the built-in ones if it has none.
    pub fn read(folder: &Path) -> Result<Self, PinsError> {
        let path = folder.join(FILE_NAME);
        let mut text = String::new();
        let read = File::open(&path).and_then(|file| file.take(SIZE_LIMIT).read_to_string(&mut text));
        match read {
            Ok(_) => serde_json::from_str(&text).map_err(|source| PinsError::Format { path, source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::built_in(),
            Err(source) => Err(PinsError::Read { path, source }),
        }
    }

    pub fn built_in() -> Result<Self, PinsError> {
        serde_json::from_str(BUILT_IN).map_err(|source| PinsError::Format { path: FILE_NAME.into(), source })
    }

    #[must_use]
    pub fn chart(&self, name: &str, release: Release) -> Option<&PinnedFile> {
        self.charts.get(name)?.versions.get(&release.to_string())
    }

    /// Returns each file of a bundle of the Gateway API, in the order of the names. Empty if it is not pinned.
    #[must_use]
    pub fn definitions(&self, release: Release, channel: Channel) -> Vec<PinnedFile> {
        let pins = &self.gateway_api;
        let files = pins.versions.get(&release.to_string()).and_then(|bundles| bundles.get(channel.word()));
        let files = files.into_iter().flatten();
        files
            .map(|(file, hash)| PinnedFile {
                url: definition_url(&pins.repository, release, channel, file),
                hash: *hash,
            })
            .collect()
    }

    /// Returns the text of pins.json.
    #[must_use]
    pub fn to_json(&self) -> String {
        format!("{:#}\n", serde_json::json!(self))
    }
}

/// Returns the URL of a file in the Gateway API's repository.
#[must_use]
pub fn definition_url(repository: &str, release: Release, channel: Channel, file: &str) -> String {
    format!("{repository}/v{release}/config/crd/{}/{file}", channel.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_pins_are_read_and_written_alike() {
        let pins = Pins::built_in().unwrap();
        assert!(pins.to_json() == BUILT_IN, "write pins.json as `rk1 pin` would");
    }
}
