//! The index of a Helm repository: which versions of a chart there are, and where.
//!
//! Source: Helm's documentation, "The Chart Repository Guide", "The index file".

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;
use url::Url;

use super::sri::{Sri, SriError};
use crate::config::cluster::Release;

#[derive(Debug, Deserialize)]
pub struct Index {
    entries: BTreeMap<String, Vec<Entry>>,
}

#[derive(Debug, Deserialize)]
pub struct Entry {
    version: String,
    #[serde(default)]
    urls: Vec<String>,
    digest: Option<String>,
}

/// Where a chart lies, and the hash that the index gives, if any.
#[derive(Debug, PartialEq, Eq)]
pub struct Listed {
    pub url: Url,
    pub hash: Option<Sri>,
}

#[derive(Debug, Error)]
pub enum IndexError {
    #[error("it is no index of a Helm repository")]
    Format(#[from] Box<serde_saphyr::Error>),
    #[error("it has no chart `{chart}`")]
    NoChart { chart: String },
    #[error("it has no {chart} {release}; the newest is {newest}")]
    NoRelease { chart: String, release: Release, newest: String },
    #[error("its entry of {chart} {release} has no address that can be used")]
    NoAddress { chart: String, release: Release },
    #[error("its digest of {chart} {release} cannot be read")]
    Digest { chart: String, release: Release, source: SriError },
}

impl Index {
    pub fn parse(text: &str) -> Result<Self, IndexError> {
        // A repository that has grown for years is larger than the parser's limits for what anybody may send.
        let options = serde_saphyr::options! { budget: None };
        serde_saphyr::from_str_with_options(text, options).map_err(|error| Box::new(error).into())
    }

    /// The entry of a release; relative addresses are those below `base`.
    pub fn find(&self, chart: &str, release: Release, base: &Url) -> Result<Listed, IndexError> {
        let name = || chart.to_owned();
        let entries = self.entries.get(chart).ok_or_else(|| IndexError::NoChart { chart: name() })?;
        let entry = entries.iter().find(|entry| Release::parse(&entry.version) == Some(release));
        let Some(entry) = entry else {
            let newest = self.newest(chart).map_or_else(|| "none".to_owned(), |newest| newest.to_string());
            return Err(IndexError::NoRelease { chart: name(), release, newest });
        };
        let url = entry.urls.first().and_then(|address| base.join(address).ok());
        let digest = entry.digest.as_deref().map(Sri::from_hexadecimal).transpose();
        Ok(Listed {
            url: url.ok_or_else(|| IndexError::NoAddress { chart: name(), release })?,
            hash: digest.map_err(|source| IndexError::Digest { chart: name(), release, source })?,
        })
    }

    /// The newest release of a chart. Previews, which have more than numbers in their version, do not count.
    #[must_use]
    pub fn newest(&self, chart: &str) -> Option<Release> {
        self.releases(chart).max()
    }

    /// The newest release of the same minor line.
    #[must_use]
    pub fn newest_patch(&self, chart: &str, release: Release) -> Option<Release> {
        self.releases(chart)
            .filter(|other| (other.major, other.minor) == (release.major, release.minor))
            .max()
    }

    fn releases(&self, chart: &str) -> impl Iterator<Item = Release> {
        self.entries.get(chart).into_iter().flatten().filter_map(|entry| Release::parse(&entry.version))
    }
}
